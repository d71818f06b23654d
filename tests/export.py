#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every format of export, read by that format's own readers: of real runs, and of one with names
made to harm. Prints "ok NAME" or "not ok NAME: why" for each.
Usage: export.py IOMMUBENCH [RUN...]"""

import csv
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
HEADER = "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n"
HARM = "<b>&amp;'\\=1+1;${x}`y`]]>é\u2028"


def harmful_run(folder):
    """Markup, shell, formulas and every kind of cell, as a real run might never have them."""
    name = HARM + '"\n\t\u009b\uffff'
    boots = [{"boot": b, "status": "ok"} for b in range(7)] + [
        {"boot": 9, "status": "invalid", "reason": name}]
    cells = [{"id": HARM, "mode": HARM, "device": "d", "workload": "w", "variant": HARM,
              "status": "invalid", "reason": name, "boots": boots},
             {"id": "a.b", "mode": name, "device": "d", "workload": "w", "status": "skipped",
              "reason": name, "boots": []},
             {"id": "c", "mode": "m", "device": "d", "workload": "w", "status": "failed",
              "boots": [{"boot": 0, "status": "failed"}]}]
    manifest = {"schema": 1, "run_id": name, "name": name, "status": name, "where": name,
                "started": "2026-01-31T23:59:59Z", "finished": None, "git_revision": name,
                "environment": {"fingerprint": name, name: {"deep": {"er": {"still": 1}}},
                                "number": 0.1, "list": [1], "none": None}, "cells": cells}
    with open(f"{folder}/manifest.json", "w", encoding="utf-8") as file:
        json.dump(manifest, file)
    with open(f"{folder}/samples.csv", "w", encoding="utf-8") as file:
        file.write(HEADER)
        for boot in boots:
            for metric, unit in ((HARM, HARM), ("t_s", "s"), ("r", "bytes/s"), ("c_total", "")):
                value = (boot["boot"] + 0.1) / 3 * 10.0 ** (boot["boot"] * 9 - 18)
                file.write(f"{HARM},{HARM},d,w,{HARM},{boot['boot']},{metric},{unit},none,"
                           f"{value!r}\n")


def counted(run):
    """What counts: {(cell, boot, metric): value}, and the manifest's cells."""
    with open(f"{run}/manifest.json", encoding="utf-8") as file:
        cells = {cell["id"]: cell for cell in json.load(file)["cells"]}
    good = {(cell["id"], boot["boot"]) for cell in cells.values() for boot in cell["boots"]
            if boot["status"] == "ok"}
    values = {}
    with open(f"{run}/samples.csv", encoding="utf-8", newline="") as file:
        for line in file.read().split("\n")[1:-1]:
            row = line.split(",")
            if (row[0], int(row[5])) in good:
                values[row[0], int(row[5]), row[6]] = float(row[9])
    assert values, "the run has no values"
    return values, cells


def medians(values):
    boots = {}
    for (cell, _, metric), value in values.items():
        boots.setdefault((cell, metric), []).append(value)
    return {key: statistics.median(list_) for key, list_ in boots.items()}


def equal(found, expected, what):
    assert found == expected, f"{what}: {found!r}, not {expected!r}"


def near(found, expected):
    """A median of an even number of values may differ in the last bit."""
    equal(found.keys(), expected.keys(), "names")
    for key, value in expected.items():
        assert abs(found[key] - value) <= 2e-16 * abs(value), f"{key}: {found[key]}, not {value}"


def check_csv(text, values, cells):
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    equal({(r["cell"], int(r["boot"]), r["metric"]): float(r["value"]) for r in rows}, values,
          "values")
    equal(len(rows), len(values), "rows")
    assert all(None not in row and None not in row.values() for row in rows), "ragged rows"
    assert text.endswith("\r\n"), "its lines do not end in CR LF"
    for row in rows:
        equal(row["mode"], cells[row["cell"]]["mode"], "mode")


def refuse_constant(name):
    raise ValueError(f"{name} is no JSON")


def check_json(text, values, cells):
    run = json.loads(text, parse_constant=refuse_constant)
    equal([cell["cell"] for cell in run["cells"]], list(cells), "cells")
    metrics = [(cell["cell"], m) for cell in run["cells"] for m in cell["metrics"]]
    equal({(cell, boot, m["metric"]): value for cell, m in metrics
           for boot, value in zip(m["boots"], m["values"], strict=True)}, values, "values")
    near({(cell, m["metric"]): m["median"] for cell, m in metrics}, medians(values))
    for _, m in metrics:
        equal((m["min"], m["max"]), (min(m["values"]), max(m["values"])), "range")
        equal(m["median_low"] is None, len(m["values"]) < 6, "interval")


def check_junit(text, values, cells):
    schema = f"{HERE}/data/junit.xsd"
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", schema, "-"],
                          input=text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    suite = xml.fromstring(text).find("testsuite")
    cases = suite.findall("testcase")
    equal([case.get("name") for case in cases[:-1]], list(cells), "cases")
    equal(int(suite.get("tests")), len(cases), "tests")
    for kind, count in (("skipped", "skipped"), ("failure", "failures"), ("error", "errors")):
        equal(int(suite.get(count)), len(suite.findall(f"testcase/{kind}")), count)
    for case in cases[:-1]:
        cell = cells[case.get("name")]
        bad = [kind for kind in ("skipped", "failure", "error") if case.find(kind) is not None]
        kinds = {"ok": [], "skipped": ["skipped"], "invalid": ["failure"], "failed": ["error"]}
        equal(bad, kinds[cell["status"]], cell["id"])
    printed = sum((case.findtext("system-out") or "").count("\n") for case in cases)
    equal(printed, len(medians(values)), "figures")


def check_openmetrics(text, values, cells):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
    from prometheus_client.parser import text_string_to_metric_families as plain

    found = {}
    families = list(strict(text))
    equal(sum(len(f.samples) for f in families), sum(len(f.samples) for f in plain(text)),
          "samples for an older Prometheus")
    for family in families:
        equal(family.type, "gauge", family.name)
        for sample in family.samples:
            if sample.labels.get("stat") == "median":
                metric = family.documentation.split(" over the boots")[0]
                found[sample.labels["cell"], metric] = sample.value
    near(found, medians(values))
    status = next(f for f in families if f.name == "iommubench_cell_status")
    equal({s.labels["cell"]: s.labels["status"] for s in status.samples},
          {id_: cell["status"] for id_, cell in cells.items()}, "status")


CHECKS = {"csv": check_csv, "json": check_json, "junit": check_junit,
          "openmetrics": check_openmetrics}


def main(bench, runs):
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        harmful_run(folder)
        for number, run in enumerate([folder, *runs]):
            for name, check in CHECKS.items():
                test = f"{name} of {'harmful names' if not number else f'run {number}'}"
                out = f"{folder}/out"
                try:
                    subprocess.run([bench, "export", run, "--format", name, "--out", out],
                                   check=True, capture_output=True)
                    with open(out, encoding="utf-8", newline="") as file:
                        check(file.read(), *counted(run))
                    print(f"ok {test}")
                except ImportError as error:
                    failed += 1
                    print(f"not ok {test}: {error}: make deps installs it")
                except Exception as error:  # pylint: disable=broad-except
                    failed += 1
                    print(f"not ok {test}: {type(error).__name__}: {error}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
