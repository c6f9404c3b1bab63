"""A network as an SVG picture: a column for each subnet, a box for each host, an arrow to each host it tells of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from cageflow.report.network.facts import wall_words
from cageflow.scenario import Network
from cageflow.scenario.layout import groups_of

COLORS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2", "#9d755d", "#72b7b2", "#eeca3b", "#ff9da6")
WIDTH, HEIGHT, GAP, COLUMN_GAP, TOP, MARGIN = 150, 34, 12, 90, 64, 20
LETTER = 6.6  # of the font, on average


def network_svg(network: Network) -> str:
    """The text of an SVG file."""
    columns = groups_of(network.scenario)
    places = {
        host: (MARGIN + i * (WIDTH + COLUMN_GAP), TOP + MARGIN + j * (HEIGHT + GAP))
        for i, (_, hosts) in enumerate(columns)
        for j, host in enumerate(hosts)
    }
    most = max(len(hosts) for _, hosts in columns)
    width = 2 * MARGIN + len(columns) * (WIDTH + COLUMN_GAP) - COLUMN_GAP
    bottom = TOP + 2 * MARGIN + most * (HEIGHT + GAP)
    types = network.identity.unit_types
    rows = -(-len(types) * WIDTH // (width - 2 * MARGIN))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + rows * 24 + 16}" role="img" '
        f'font-family="sans-serif" font-size="12">',
        f"<title>{escape(network.scenario.name)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#777"/></marker></defs>',
        '<rect width="100%" height="100%" fill="#fff"/>',
        *(_subnet(network, name, i, len(hosts)) for i, (name, hosts) in enumerate(columns)),
        *_arrows(network, places),
        *(_host(network, host, x, y) for host, (x, y) in places.items()),
        *_legend(types, width, bottom),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _subnet(network: Network, name: str, column: int, num_hosts: int) -> str:
    x, height = MARGIN / 2 + column * (WIDTH + COLUMN_GAP), TOP + num_hosts * (HEIGHT + GAP)
    wall = wall_words(network, name)
    way = wall or "open"
    words = f"opens with {wall.count(' or ') + 1}" if wall.startswith("opens") else way
    return (
        f"<g><title>{escape(f'{name}: {way}')}</title>"
        f'<rect x="{x}" y="{MARGIN / 2}" width="{WIDTH + MARGIN}" height="{height + MARGIN / 2}" rx="8" fill="#f4f4f6" '
        f'stroke="#999"{" stroke-dasharray=" + chr(34) + "6 4" + chr(34) if wall else ""}/>'
        f'<text x="{x + 12}" y="{MARGIN + 16}" font-weight="bold">{escape(_cut(name))}</text>'
        f'<text x="{x + 12}" y="{MARGIN + 34}" fill="#555">{words}</text></g>'
    )


def _host(network: Network, name: str, x: float, y: float) -> str:
    scenario = network.scenario
    host = scenario.hosts[name]
    color = COLORS[network.identity.unit_types.index(host.unit_type)]
    mark = {scenario.red.start: "red starts here", scenario.red.goal: "red's goal"}.get(name)
    facts = f"{name}: {host.unit_type}, {host.os}, worth {scenario.values[host.confidentiality]:g}"
    edge = f' stroke="#c00" stroke-width="{3 if name == scenario.red.goal else 2}"' if mark else ' stroke="#555"'
    note = "" if mark is None else f'<tspan x="{x + 18}" dy="13" fill="#c00" font-size="10">{escape(mark)}</tspan>'
    return (
        f"<g><title>{escape(facts)}</title>"
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="5" fill="#fff"{edge}/>'
        f'<rect x="{x}" y="{y}" width="10" height="{HEIGHT}" rx="3" fill="{color}"/>'
        f'<text x="{x + 18}" y="{y + (15 if mark else 21)}">{escape(_cut(name))}{note}</text></g>'
    )


def _arrows(network: Network, places: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    for name, host in network.scenario.hosts.items():
        for other in host.reveals:
            if other == name:
                continue
            (x, y), (to_x, to_y) = places[name], places[other]
            y, to_y = y + HEIGHT / 2, to_y + HEIGHT / 2
            if x == to_x:
                start = end = x + WIDTH
                bend = end_bend = start + COLUMN_GAP / 3
            else:
                forth = to_x > x
                start, end = (x + WIDTH, to_x) if forth else (x, to_x + WIDTH)
                step = COLUMN_GAP / 2 if forth else -COLUMN_GAP / 2
                bend, end_bend = start + step, end - step
            words = escape(f"{name} tells of {other}")
            yield (
                f'<path d="M{start} {y}C{bend} {y} {end_bend} {to_y} {end} {to_y}" fill="none" stroke="#777" '
                f'stroke-opacity="0.6" marker-end="url(#tip)"><title>{words}</title></path>'
            )


def _legend(types: Sequence[str], width: float, bottom: float) -> Iterator[str]:
    per_row = max(1, int((width - 2 * MARGIN) // WIDTH))
    for i, unit_type in enumerate(types):
        x, y = MARGIN + i % per_row * WIDTH, bottom + i // per_row * 24
        yield f'<rect x="{x}" y="{y}" width="12" height="12" rx="3" fill="{COLORS[i]}"/>'
        yield f'<text x="{x + 18}" y="{y + 11}">{escape(_cut(unit_type))}</text>'


def _cut(name: str) -> str:
    """As much of a name as a box has room for."""
    room = int((WIDTH - 24) / LETTER)
    return name if len(name) <= room else f"{name[: room - 1]}…"
