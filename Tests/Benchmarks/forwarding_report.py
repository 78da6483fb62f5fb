"""The figures of forwarding.py as a table, a comparison with earlier ones, and a page with plots that needs nothing else."""

import html
import math
from statistics import median

NAMES = {
    "sightline": "Sightline", "bareLoop": "bare C loop", "janus": "Janus", "sightlineMeasuredLinks": "Sightline, links measured",
}
COST, DELAY = "microsecondsPerPacket", "delayP99Milliseconds"

#: What is aimed at: (name in `ratios`, words, bound, whether the figure must stay below it).
TARGETS = [
    ("sightlineToJanus", "CPU per packet beside Janus", 1 / 15, "{:.3f}"),
    ("sightlineToBareLoop", "CPU per packet beside the bare loop", 1 / 0.8, "{:.2f}"),
]
GROWTH_BOUND, MEMORY_BOUND, DELAY_BOUND = 1.2, 64 * 1024, 2.0
#: Runnable threads beside ours that leave delays alone.
BUSY = 0.5
#: Scenarios at half of another one's load.
HALF_LOADS = ["1x50", "1x250", "15x2"]


def rounded(value: float) -> float:
    """Four digits: more would be noise."""
    return 0.0 if value == 0 else round(value, max(0, 3 - math.floor(math.log10(abs(value)))))


def words(value: float | None, digits: int) -> str:
    """A dash for what was not measured: a server so late that nothing sent in the window came within it has no delay."""
    return "-" if value is None else f"{value:.{digits}f}"


def ratios(runs: dict) -> dict:
    """Of each scenario the median of each round's own ratio: what disturbs the machine meets both sides of it."""
    own = runs.get("sightline", {})
    found: dict = {}
    for name, other in (
            ("sightlineToJanus", "janus"), ("sightlineToBareLoop", "bareLoop"),
            ("sightlineToItselfWithLinksMeasured", "sightlineMeasuredLinks")):
        found[name] = {}
        for scenario in own.keys() & runs.get(other, {}).keys():
            pairs = [(mine, theirs) for mine, theirs in zip(own[scenario], runs[other][scenario]) if mine and theirs]
            if pairs:
                found[name][scenario] = rounded(median(mine[COST] / theirs[COST] for mine, theirs in pairs))
        found[name] = dict(sorted(found[name].items()))
    for system, scenarios in runs.items():
        viewers = 1000 if "1x1000" in scenarios else 500
        few, many = scenarios.get("1x10", []), scenarios.get(f"1x{viewers}", [])
        pairs = [(small, large) for small, large in zip(few, many) if small and large]
        if pairs:
            if viewers == 1000:
                found.setdefault("costOf1000ViewersTo10", {})[system] = rounded(
                    median(large[COST] / small[COST] for small, large in pairs))
            # Beside what the first ten viewers brought in: code, pools, the caches of the one stream.
            found.setdefault("residentBytesPerFurtherViewer", {})[system] = rounded(
                median((large["residentBytes"] - small["residentBytes"]) / (viewers - 10) for small, large in pairs))
    return found


def table(result: dict) -> str:
    machine = result["machine"]
    lines = [
        f"{machine['cores']} x {machine['model']}, Linux {machine['kernel']}; medians of {result['rounds']} rounds of "
        f"{result['seconds']:g} s; the bare loop encrypts with {result['bareLoopCipher']}", "",
        "scenario  system                     us/packet  packets/s/core   p50 ms   p99 ms   lost %  set-up ms  resident MB",
    ]
    for scenario in scenarios(result):
        for system, found in result["systems"].items():
            if row := found.get(scenario):
                lines.append(
                    f"{scenario:9} {NAMES[system]:26} {row[COST]:9.2f} {row['packetsPerSecondPerCore']:15,.0f} "
                    f"{words(row['delayP50Milliseconds'], 2):>8} {words(row[DELAY], 2):>8} {row['lossPercent']:8.3f} "
                    f"{words(row['setupP50Milliseconds'], 1):>10} {row['residentBytes'] / 1e6:12.0f}")
    if machine["loadBefore"] > BUSY:
        lines += ["", f"The machine was busy before (load {machine['loadBefore']}): ratios of CPU hold, delays and memory do not."]
    return "\n".join(lines + ["", *targets(result)])


def scenarios(result: dict) -> list[str]:
    names = {name for found in result["systems"].values() for name in found}
    return sorted(names, key=lambda name: [int(part) for part in name.split("x")])


def targets(result: dict) -> list[str]:
    lines = []

    def line(words: str, value: float, bound: float, form: str) -> None:
        verdict = "ok" if value <= bound else "MISSED"
        lines.append(f"{verdict:7} {words}: {form.format(value)} (at most {form.format(bound)})")

    for name, words, bound, form in TARGETS:
        for scenario, value in result["ratios"].get(name, {}).items():
            if scenario in ("1x100", "1x500", "15x4"):
                line(f"{words}, {scenario}", value, bound, form)
    own = result["systems"].get("sightline", {})
    for scenario in HALF_LOADS:
        if scenario in own and own[scenario][DELAY] is not None:
            line(f"p99 of the delay at half load, {scenario}, ms", own[scenario][DELAY], DELAY_BOUND, "{:.2f}")
    for name, words, bound, form in (
            ("costOf1000ViewersTo10", "cost per packet of 1,000 viewers beside 10", GROWTH_BOUND, "{:.2f}"),
            ("residentBytesPerFurtherViewer", "bytes per viewer from 10 to 1,000", MEMORY_BOUND, "{:,.0f}")):
        if value := result["ratios"].get(name, {}).get("sightline"):
            line(words, value, bound, form)
    if value := result["ratios"].get("residentBytesPerFurtherViewer", {}).get("sightlineMeasuredLinks"):
        line("the same with links measured, from 10 to 500", value, MEMORY_BOUND, "{:,.0f}")
    return lines


def comparison(result: dict, previous: dict) -> str:
    """Now beside then: the ratio to the bare loop cancels most of what differs between two machines or two days."""
    lines = [f"Beside {previous['date']} on {previous['machine']['model']} (below 1 is better now):"]
    for scenario in scenarios(result):
        parts = []
        for system in result["systems"]:
            now, then = (each["systems"].get(system, {}).get(scenario) for each in (result, previous))
            if now and then and then[COST]:
                parts.append(f"{NAMES[system]} {now[COST] / then[COST]:.2f}")
        now, then = (each["ratios"].get("sightlineToBareLoop", {}).get(scenario) for each in (result, previous))
        if now and then:
            parts.append(f"Sightline to bare loop {now:.2f}, was {then:.2f}")
        if parts:
            lines.append(f"  {scenario:8} CPU per packet: " + "; ".join(parts))
    return "\n".join(lines)


# The page

STYLE = """
:root { color-scheme: light dark; --ink: #1d2126; --paper: #fbfbfa; --rule: #d5d8dc; --soft: #5c6670;
  --sightline: #1f6fb2; --sightlineMeasuredLinks: #7a5bb5; --bareLoop: #3c8a4d; --janus: #c2571a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --paper: #16191c; --rule: #363c43; --soft: #9aa4ae;
  --sightline: #6fb1e6; --sightlineMeasuredLinks: #b59be6; --bareLoop: #7cc48c; --janus: #ef9660; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 860px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } pre { overflow-x: auto; font-size: 12.5px; }
figure { margin: 1.6rem 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
.sightline { fill: var(--sightline); } .bareLoop { fill: var(--bareLoop); } .janus { fill: var(--janus); }
.sightlineMeasuredLinks { fill: var(--sightlineMeasuredLinks); }
.key { margin-right: 1rem; } .key::before { content: "■ "; } .grid { stroke: var(--rule); }
""" + "".join(f".key.{system} {{ color: var(--{system}); }}\n" for system in NAMES)

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 800, 280, 56, 14, 26


def page(result: dict, previous: dict | None) -> str:
    text = table(result) + (f"\n\n{comparison(result, previous)}" if previous else "")
    plots = [
        bars(result, "CPU per forwarded packet, microseconds (logarithmic)", COST),
        bars(result, "Forwarding delay, 99th percentile, milliseconds (logarithmic)", DELAY),
        bars(result, "Memory of the process, bytes (logarithmic)", "residentBytes"),
    ]
    return (f"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Forwarding</title>\n"
            f"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>{STYLE}</style>\n</head>\n"
            f"<body>\n<h1>Forwarding, {html.escape(result['date'])}</h1>\n<p>Names of scenarios are callers x viewers of "
            f"each.</p>\n<pre>{html.escape(text)}</pre>\n{''.join(plots)}</body>\n</html>\n")


def bars(result: dict, title: str, figure: str) -> str:
    """A group of bars for each scenario; the scale is logarithmic, since the systems are powers of ten apart."""
    groups = [(name, [(system, found[name][figure]) for system, found in result["systems"].items()
                      if name in found and found[name][figure]]) for name in scenarios(result)]
    values = [value for _, group in groups for _, value in group]
    if not values:
        return ""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
    high = max(high, low + 1)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(value) - low) / (high - low) * (HEIGHT - BOTTOM - TOP)

    parts = []
    for power in range(low, high + 1):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y(10 ** power):.1f}" y2="{y(10 ** power):.1f}"/>'
                     f'<text x="{LEFT - 6}" y="{y(10 ** power) + 4:.1f}" text-anchor="end">{10 ** power:g}</text>')
    step = (WIDTH - LEFT) / len(groups)
    width = step * 0.8 / len(result["systems"])
    for place, (name, group) in enumerate(groups):
        start = LEFT + step * place + step * 0.1
        parts.append(f'<text x="{start + step * 0.4:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{name}</text>')
        for index, (system, value) in enumerate(group):
            x, height = start + index * width, HEIGHT - BOTTOM - y(value)
            words = f"{NAMES[system]}, {name}: {value:g}"
            parts.append(f'<rect class="{system}" x="{x:.1f}" y="{y(value):.1f}" width="{width * 0.9:.1f}" '
                         f'height="{max(0.5, height):.1f}"><title>{words}</title></rect>')
            if figure != "residentBytes":
                parts.append(f'<text x="{x + width * 0.45:.1f}" y="{y(value) - 3:.1f}" text-anchor="middle">'
                             f'{value:.3g}</text>')
    legend = "".join(f'<span class="key {system}">{NAMES[system]}</span>' for system in result["systems"])
    return (f'<figure><figcaption>{title}</figcaption><p>{legend}</p><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{title}">{"".join(parts)}</svg></figure>\n')
