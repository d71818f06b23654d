#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A Slurm of one machine, private to a test: own configuration, ports, key and folders, all below
# $work/slurm. To be sourced. Exports SLURM_CONF for the clients.
# shellcheck disable=SC2154 # work is the caller's

# A TCP port that nobody has, from $1 on.
free_port() {
	port=$1
	while grep -q "$(printf ':%04X 00000000:0000 0A' "$port")" /proc/net/tcp; do
		port=$((port + 1))
	done
	echo "$port"
}

slurm_configure() {
	mkdir -p "$work/slurm/munge" "$work/slurm/state" "$work/slurm/spool"
	chmod 711 "$work" "$work/slurm"
	chmod 755 "$work/slurm/munge" # munged insists
	head -c 1024 /dev/urandom >"$work/slurm/munge/key"
	chmod 600 "$work/slurm/munge/key"
	control=$(free_port 36817)
	SLURM_CONF=$work/slurm/slurm.conf
	export SLURM_CONF
	cat >"$SLURM_CONF" <<-END
		ClusterName=iommubench-test
		SlurmctldHost=$(hostname -s)(127.0.0.1)
		SlurmctldPort=$control
		SlurmdPort=$(free_port $((control + 1)))
		SlurmUser=root
		AuthType=auth/munge
		AuthInfo=socket=$work/slurm/munge/socket
		CredType=cred/munge
		ProctrackType=proctrack/pgid
		TaskPlugin=task/none
		MpiDefault=none
		SelectType=select/linear
		SchedulerParameters=batch_sched_delay=0,sched_interval=1
		JobRequeue=1
		ReturnToService=2
		KillWait=5
		StateSaveLocation=$work/slurm/state
		SlurmdSpoolDir=$work/slurm/spool
		SlurmctldPidFile=$work/slurm/slurmctld.pid
		SlurmdPidFile=$work/slurm/slurmd.pid
		SlurmctldLogFile=$work/slurm/slurmctld.log
		SlurmdLogFile=$work/slurm/slurmd.log
		NodeName=lab-host NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
		PartitionName=lab Nodes=lab-host Default=YES MaxTime=INFINITE State=UP
	END
}

# Each daemon is a child of ours, with its id in a variable, so that nothing else is ever ended.
slurm_start_host() {
	slurmd -D -N lab-host -f "$SLURM_CONF" >"$work/slurm/slurmd.out" 2>&1 &
	slurmd=$!
}

slurm_start() {
	slurm_configure
	munged --foreground --force --key-file="$work/slurm/munge/key" \
		--socket="$work/slurm/munge/socket" --pid-file="$work/slurm/munge/pid" \
		--log-file="$work/slurm/munge/log" --seed-file="$work/slurm/munge/seed" \
		>"$work/slurm/munge/out" 2>&1 &
	munged=$!
	tries=0
	while [ ! -S "$work/slurm/munge/socket" ] && [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	slurmctld -D -c -f "$SLURM_CONF" >"$work/slurm/slurmctld.out" 2>&1 &
	slurmctld=$!
	slurm_start_host
	slurm_await_host idle
}

# slurm_await_host STATE: at most 30 s
slurm_await_host() {
	tries=0
	until sinfo -h -o %T 2>/dev/null | grep -qx "$1"; do
		tries=$((tries + 1))
		[ $tries -lt 60 ] || return 1
		sleep 0.5
	done
}

slurm_stop() {
	scancel --full --user=root 2>/dev/null
	for daemon in "${slurmd:-}" "${slurmctld:-}" "${munged:-}"; do
		[ -z "$daemon" ] || kill "$daemon" 2>/dev/null
		[ -z "$daemon" ] || wait "$daemon" 2>/dev/null
	done
}
