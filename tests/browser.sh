#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Opens pages in Chromium: wide, on a phone, light, dark and as printed, and looks for errors of
# the console, requests to anywhere, text too pale to read, and what does not fit. One line of
# "ok" or "not ok" each; 9 lines a page. Without Chromium it says so and does nothing.
# Usage: browser.sh PAGE.html...
set -u

here=$(cd "$(dirname "$0")" && pwd)
failures=0

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -z "$chromium" ]; then
	echo "skipped: there is no Chromium here (apt-get install chromium)"
	exit 0
fi
work=$(mktemp -d)
browser=
trap '[ -z "$browser" ] || kill "$browser" 2>/dev/null; wait; rm -rf "$work"' EXIT

# The browser is talked to in DevTools' protocol: JSON objects that end with a NUL.
mkfifo "$work/to" "$work/from"
exec 5<>"$work/to" 6<>"$work/from"
"$chromium" --headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run \
	--disable-component-update --user-data-dir="$work/profile" --remote-debugging-pipe \
	3<&5 4>&6 >"$work/log" 2>&1 &
browser=$!

serial=0
session=
events=$work/events

# ask METHOD [PARAMS]: the answer in $answer; what happens meanwhile is added to $events.
ask() {
	serial=$((serial + 1))
	printf '{"id":%d,"method":"%s","params":%s%s}\0' "$serial" "$1" "${2:-"{}"}" \
		"${session:+,\"sessionId\":\"$session\"}" >&5
	while IFS= read -r -t 60 -d '' answer <&6; do
		case $answer in
		"{\"id\":$serial,"*) return 0 ;;
		*) printf '%s\n' "$answer" >>"$events" ;;
		esac
	done
	answer=
	return 1
}

# field NAME: a text of the answer.
field() { printf '%s' "$answer" | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }

# verdict WHAT WRONG: ok if nothing is wrong.
verdict() {
	if [ -z "$2" ]; then
		echo "ok $1"
	else
		echo "not ok $1: $2"
		failures=$((failures + 1))
	fi
}

script=$(sed 's/\\/\\\\/g; s/"/\\"/g' "$here/browser.js" | tr '\n\t' '  ')

# look WHAT WIDTH HEIGHT MEDIA SCHEME: the page as that shows it.
look() {
	ask Emulation.setDeviceMetricsOverride \
		"{\"width\":$2,\"height\":$3,\"deviceScaleFactor\":1,\"mobile\":false}"
	ask Emulation.setEmulatedMedia "{\"media\":\"$4\",\"features\":[{\"name\":
		\"prefers-color-scheme\",\"value\":\"$5\"}]}"
	ask Runtime.evaluate "{\"expression\":\"$script\",\"returnByValue\":true}"
	case $answer in
	*'"type":"string","value":""'*) verdict "$page $1" "" ;;
	*) verdict "$page $1" "$(field value)${answer:+ }$(field description)" ;;
	esac
}

look_at() {
	page=$1
	: >"$events"
	ask Page.navigate "{\"url\":\"file://$(realpath "$page")\"}"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		ask Runtime.evaluate '{"expression":"document.readyState"}'
		[ "$(field value)" != complete ] || break
		sleep 0.3
	done
	verdict "$page is loaded" "$([ "$(field value)" = complete ] || echo "no, in 3 s")"
	look "on a desk, light" 1280 900 "" light
	look "on a desk, dark" 1280 900 "" dark
	look "on a phone, light" 360 800 "" light
	look "on a phone, dark" 360 800 "" dark
	look "in print, 190 mm wide" 718 1000 print dark
	ask Page.printToPDF '{"paperWidth":8.27,"paperHeight":11.69}'
	verdict "$page can be printed" "$([ "${#answer}" -gt 10000 ] || echo "no PDF")"
	verdict "$page: nothing on the console" \
		"$(grep -aE '"method":"(Log.entryAdded|Runtime.(consoleAPI|exception))' "$events" |
			cut -c1-300)"
	verdict "$page: one request, for the page itself" \
		"$(grep -ao '"method":"Network.requestWillBeSent".*' "$events" |
			grep -o '"request":{"url":"[^"]*"' | grep -v '"data:' | sed 1d)"
}

ask Target.createTarget '{"url":"about:blank"}' || {
	echo "not ok Chromium does not answer: $(tail -n 1 "$work/log")"
	exit 1
}
ask Target.attachToTarget "{\"targetId\":\"$(field targetId)\",\"flatten\":true}"
session=$(field sessionId)
for domain in Page Runtime Log Network; do
	ask "$domain.enable"
done
for file; do
	look_at "$file"
done
exit "$((failures > 0))"
