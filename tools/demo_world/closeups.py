"""Scenes seen from near: foliage, fruit, a table, cloth, books, a flower, pebbles."""

import numpy as np

from demo_world.canvas import Array, Canvas, color, fractal_line, gaussian, mix, pick, relief, smooth
from demo_world.outdoors import AUTUMN, GREENS, PLASTER
from demo_world.things import Light, ball, bricks, daylight, disc, ground_coordinates, leaf, wood

CLOTH = "2c4a7a 8a2f3a e8e0d0 3f6a50 c98a2f 6a4a7a 28303a a0563a 7fa0b8 d8b8b0"
FRUIT = "a8402f c8843a c4a44a 7c9650 843038 d8b096 5f3a50"
WOODS = "8a5f3a a9784a 6b452a c49a68 9a6f4a 4f3526"
STONES = "8a857c a39a8c 6f6d6a b5a48e 5a5550 9c8068 c4bcae"


def foliage(canvas: Canvas) -> None:
    """Leaves over leaves, dark in the depth, sunlit in front; sometimes berries."""
    rng = canvas.rng
    light = daylight(rng)
    palette = AUTUMN if rng.random() < 0.35 else GREENS
    canvas.rgb[:] = pick(rng, palette) * 0.08
    sunny = canvas.noise(1.4)
    count, large = int(rng.integers(900, 1500)), float(rng.uniform(0.07, 0.15))
    tint, other = pick(rng, palette), pick(rng, palette)
    for number in range(count):
        depth = number / count
        center = (float(rng.uniform(-0.05, 1.05)), float(rng.uniform(-0.05, 1.05)))
        spot = sunny[int(np.clip(center[1], 0, 0.999) * canvas.side), int(np.clip(center[0], 0, 0.999) * canvas.side)]
        bright = (0.05 + 1.0 * depth**2.4) * np.exp(0.45 * spot + rng.normal(0, 0.2))
        size = large * float(rng.pareto(2.5) * 0.3 + 0.35)
        size = min(size, large * 1.4)
        canvas.shadow((center[0] + 0.015, center[1] + 0.02), size * 1.1, 0.6, 0.6)
        tone = mix(tint, other, float(rng.random())) * (light.sun * 0.8 + light.ambient * 0.6)
        canvas.stamp(
            center, size, leaf(tone, float(bright), float(rng.uniform(-0.3, 0.3))), 0.9, float(rng.normal(0.6, 0.9))
        )
        if number == count // 2:
            canvas.blur(0.006)
    if rng.random() < 0.5:
        berry = pick(rng, "c0281e d84a2a 3a2f6a e8e0e0")
        for _ in range(int(rng.integers(8, 25))):
            spot_at = (float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.1, 0.9)))
            canvas.stamp(spot_at, float(rng.uniform(0.015, 0.03)), ball(light, berry, 0.8))


def fruit(canvas: Canvas) -> None:
    """A heap of shaded, mottled balls of a few kinds, each throwing a shadow."""
    rng = canvas.rng
    light = daylight(rng)
    canvas.rgb[:] = color("1a120c")
    size = float(rng.uniform(0.06, 0.13))
    kinds = [pick(rng, FRUIT) for _ in range(int(rng.integers(1, 4)))]
    mottles = [canvas.noise(1.3)[:128, :128] for _ in range(4)]
    places = [(x, y) for y in np.arange(-0.1, 1.15, size * 0.8) for x in np.arange(-0.1, 1.15, size * 1.2)]
    for x, y in places:
        center = (x + rng.normal(0, 0.3) * size, y + rng.normal(0, 0.2) * size)
        kind = kinds[int(np.clip(len(kinds) * (x + rng.normal(0, 0.12)), 0, len(kinds) - 1))]
        radius = size * float(rng.uniform(0.8, 1.15))
        canvas.shadow((center[0] - 0.3 * radius * light.direction[0], center[1] + 0.2 * radius), radius * 1.35, 0.75)
        skin = ball(light, kind * np.exp(rng.normal(0, 0.1, 3)).astype(np.float32), 0.22, mottles[int(rng.integers(4))])
        canvas.stamp(center, radius, skin, float(rng.uniform(0.9, 1.08)), float(rng.normal(0, 0.4)))


def table(canvas: Canvas) -> None:
    """A still life: wall out of focus, wooden table in perspective, fruit, cups and bottles with contact shadows."""
    rng = canvas.rng
    light = daylight(rng)
    edge = float(rng.uniform(0.42, 0.6))
    wall = pick(rng, PLASTER + " 4a5a62 6a4f44 39424a")
    glow_side = canvas.x if light.direction[0] > 0 else 1 - canvas.x
    if rng.random() < 0.4:
        wall = bricks(rng, canvas.x + 5, canvas.y + 5, "8f4a35 a25a40 b9a894 94543f", 0.05)
    canvas.rgb[:] = (
        wall * ((0.25 + 0.55 * glow_side) * np.exp(0.06 * canvas.noise(1.6)))[..., None] * (light.sun + light.ambient)
    )
    for _ in range(int(rng.integers(1, 4))):
        left, width = float(rng.uniform(0, 0.8)), float(rng.uniform(0.08, 0.3))
        top, panel = float(rng.uniform(-0.1, 0.3)), pick(rng, CLOTH)
        box = (canvas.x > left) & (canvas.x < left + width) & (canvas.y > top) & (canvas.y < top + 1.3 * width)
        canvas.paint(box.astype(np.float32), panel * (0.3 + 0.4 * glow_side)[..., None] * light.sun)
    canvas.blur(float(rng.uniform(0.008, 0.02)))
    across, along, near = ground_coordinates(canvas, edge - 0.12, 0.5)
    grain = wood(rng, across + 7, along * 0.8 + 3, WOODS, 0.22)
    lit = light.on(np.zeros_like(near), -np.ones_like(near), np.zeros_like(near)) * (0.6 + 0.4 * glow_side)[..., None]
    canvas.paint(smooth(canvas.y, edge, edge + 0.004), (grain * lit).astype(np.float32))
    things = sorted(rng.uniform(edge + 0.08, 0.95, int(rng.integers(3, 7))))
    for y in things:
        scale = 0.10 + 0.16 * (y - edge)
        x = float(rng.uniform(0.1, 0.9))
        (_fruit_on_table if rng.random() < 0.5 else _vessel)(
            canvas, x, float(y), scale * float(rng.uniform(0.7, 1.2)), light
        )


def cloth(canvas: Canvas) -> None:
    """Woven cloth, checked or striped, in folds."""
    rng = canvas.rng
    light = daylight(rng, 0.2)
    angle = float(rng.uniform(0, 3.14))
    drift = gaussian(canvas.noise(1.9), 10)
    cross = canvas.x * np.cos(angle) + canvas.y * np.sin(angle)
    folds = np.sin(cross * rng.uniform(8, 20) + 2.2 * drift) + 0.5 * gaussian(canvas.noise(1.8), 8)
    turn = float(rng.uniform(0, 1.57))
    u = canvas.x * np.cos(turn) - canvas.y * np.sin(turn) + 0.035 * folds
    v = canvas.x * np.sin(turn) + canvas.y * np.cos(turn) + 0.035 * drift
    base = np.broadcast_to(pick(rng, CLOTH), canvas.rgb.shape)
    for _ in range(int(rng.integers(2, 5))):
        period, width, tint = float(rng.uniform(0.08, 0.3)), float(rng.uniform(0.15, 0.5)), pick(rng, CLOTH)
        phase, along_u = rng.random(), rng.random() < 0.5
        for axis in (u, v) if rng.random() < 0.6 else ((u,) if along_u else (v,)):
            stripe = smooth(
                np.cos(6.283 * (axis / period + phase)), np.cos(3.14 * width) - 0.03, np.cos(3.14 * width) + 0.03
            )
            base = mix(base, tint, 0.7 * stripe)
    threads = 1 + 0.12 * np.sin(u * 900) + 0.12 * np.sin(v * 900) + 0.05 * canvas.noise(0.4)
    shade = relief(gaussian(folds, 6), 13.0, (float(light.direction[0]), -0.6))
    hollow = 0.75 + 0.25 * smooth(folds, -1.6, 0.8)
    canvas.rgb[:] = base * (threads * shade * hollow)[..., None] * (light.sun * 0.8 + light.ambient)


def books(canvas: Canvas) -> None:
    """A shelf of books with lettering on their spines."""
    rng = canvas.rng
    light = daylight(rng, 0.7)
    canvas.rgb[:] = color("1c130d") * 0.5
    shelves = int(rng.integers(1, 4))
    height = 1.0 / shelves
    grain = np.exp(0.06 * canvas.noise(0.8))
    for shelf in range(shelves):
        floor, x = (shelf + 1) * height - 0.03, float(rng.uniform(-0.05, 0.0))
        while x < 1.02:
            width = float(rng.uniform(0.025, 0.075)) * (1.5 if shelves == 1 else 1.0)
            if rng.random() > 0.06:
                _spine(canvas, x, width, floor - height * float(rng.uniform(0.62, 0.88)), floor, light, grain)
            x += width + 0.002
        board = (canvas.y > floor) & (canvas.y < floor + 0.03)
        timber = wood(rng, canvas.x * 2 + shelf, canvas.y + 0.5, WOODS, 0.9)
        canvas.paint(board.astype(np.float32), (timber * (light.sun * 0.6 + light.ambient)).astype(np.float32))
        canvas.paint(
            0.55 * smooth(floor + 0.10 - canvas.y, 0.02, 0.07) * smooth(canvas.y, floor + 0.028, floor + 0.03),
            color("000000"),
        )
    canvas.rgb *= (0.55 + 0.6 * (canvas.x if light.direction[0] > 0 else 1 - canvas.x))[..., None]


def flower(canvas: Canvas) -> None:
    """A flower near the lens before a garden out of focus."""
    rng = canvas.rng
    light = daylight(rng)
    canvas.rgb[:] = pick(rng, GREENS) * np.exp(0.5 * canvas.noise(1.8))[..., None] * 0.6
    for _ in range(60):
        spot = pick(rng, GREENS + " c8d080 e8e0c0 e0a0b0") * float(rng.uniform(0.4, 1.3))
        canvas.stamp((float(rng.random()), float(rng.random())), float(rng.uniform(0.03, 0.12)), disc(spot, 0.5, 0.25))
    canvas.blur(0.02)
    tint = pick(rng, "d83a5a e8c030 f0e8f0 8a5ac8 e87830 e090b8 5a70d0 f0f0e0")
    for _ in range(int(rng.integers(1, 4))):
        center = (float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.7)))
        size = float(rng.uniform(0.12, 0.27))
        stem = (np.abs(canvas.x - center[0] - 0.05 * (canvas.y - center[1])) < 0.011) & (canvas.y > center[1])
        canvas.paint(stem.astype(np.float32), color("4a6a30") * (0.6 + 0.4 * light.sun))
        _petals(canvas, center, size, tint, light)


def pebbles(canvas: Canvas) -> None:
    """Stones of power-law sizes on sand, speckled, banded, each with its shadow."""
    rng = canvas.rng
    light = daylight(rng)
    sand = canvas.noise(0.8)
    canvas.rgb[:] = (
        pick(rng, "8a7a62 6f6558 a0907a")
        * (0.5 * relief(gaussian(sand, 1.5), 1.2))[..., None]
        * (light.sun + light.ambient)
    )
    speckles = [(canvas.noise(0.7) + 0.8 * np.sin(6 * canvas.noise(1.8)))[:160, :160] for _ in range(5)]
    sizes = np.clip(0.012 * (1 + rng.pareto(1.5, int(rng.integers(260, 600)))), 0.012, 0.16)
    for size in np.sort(sizes)[:: -1 if rng.random() < 0.5 else 1]:
        center = (float(rng.uniform(-0.05, 1.05)), float(rng.uniform(-0.05, 1.05)))
        aspect, angle = float(rng.uniform(0.55, 0.95)), float(rng.uniform(0, 3.14))
        canvas.shadow((center[0] - 0.3 * size * light.direction[0], center[1] + 0.35 * size), size * 1.3, 0.8)
        stone = ball(light, pick(rng, STONES), 0.05, speckles[int(rng.integers(5))])
        canvas.stamp(center, float(size), stone, aspect, angle)


def _fruit_on_table(canvas: Canvas, x: float, y: float, size: float, light: Light) -> None:
    rng = canvas.rng
    center = (x, y - size)
    canvas.shadow((x - size * 0.7 * float(light.direction[0]), y - 0.1 * size), size * 1.5, 0.7, 0.35)
    canvas.shadow((x, y - 0.08 * size), size * 0.9, 0.8, 0.3)
    canvas.stamp(
        center, size, ball(light, pick(rng, FRUIT), 0.5, canvas.noise(1.4)[:128, :128]), float(rng.uniform(0.85, 1.1))
    )
    canvas.stamp((x, y - 1.9 * size), size * 0.16, leaf(color("5a4a2a"), 0.6, 0.1), 0.4, 1.4)


def _vessel(canvas: Canvas, x: float, y: float, size: float, light: Light) -> None:
    """A cup, jar or bottle: a turned profile with cylinder shading and a highlight."""
    rng = canvas.rng
    tall = float(rng.uniform(1.6, 3.6))
    t = (y - canvas.y) / (size * tall)
    neck = smooth(t, 0.62, 0.75) * (0.65 if tall > 2.4 else float(rng.uniform(-0.25, 0.15)))
    radius = size * 0.8 * (1 - neck - 0.08 * smooth(-t, -0.06, 0.0))
    u = np.clip((canvas.x - x) / radius, -1, 1)
    bottom = 0.12 * size * np.sqrt(1 - u * u)
    body = (np.abs(canvas.x - x) < radius) & (canvas.y < y + bottom - 0.1 * size) & (t < 1)
    canvas.shadow((x - size * 0.8 * float(light.direction[0]), y - 0.05 * size), size * 1.6, 0.7, 0.3)
    canvas.shadow((x, y), size * 1.0, 0.8, 0.28)
    base = pick(rng, CLOTH + " d8d0c0 3a5a48 5a3a28 e8e4dc")
    banded = mix(base, pick(rng, CLOTH), 0.9 * (smooth(t, 0.25, 0.26) - smooth(t, 0.5, 0.51)) * (rng.random() < 0.6))
    nz = np.sqrt(1 - u * u)
    shine = 0.55 * np.exp(-(((u - 0.55 * float(light.direction[0])) / 0.1) ** 2))
    lit = banded * light.on(u, np.zeros_like(u), nz) + shine[..., None] * light.sun * float(rng.uniform(0.2, 0.8))
    canvas.paint(body.astype(np.float32), lit.astype(np.float32))
    if tall <= 2.4:
        _mouth(canvas, (x, y - size * tall), 0.8 * size * (1 - float(neck[t < 1].max())), base)


def _mouth(canvas: Canvas, center: tuple[float, float], radius: float, base: Array) -> None:
    """The opening of a cup as an ellipse with a bright rim."""
    across, up = (canvas.x - center[0]) / radius, (canvas.y - center[1]) / (0.2 * radius)
    canvas.paint(smooth(1 - np.hypot(across, up), 0.0, 0.04), base * 1.1)
    canvas.paint(0.75 * smooth(0.88 - np.hypot(across, up), 0.0, 0.04), color("14100e"))


def _spine(canvas: Canvas, x: float, width: float, top: float, floor: float, light: Light, grain: Array) -> None:
    rng = canvas.rng
    lean = float(rng.normal(0, 0.02)) if rng.random() < 0.3 else 0.0
    u = (canvas.x - x + lean * (canvas.y - floor)) / width
    inside = (u > 0) & (u < 1) & (canvas.y > top) & (canvas.y < floor)
    t = (canvas.y - top) / (floor - top)
    tint, ink = pick(rng, CLOTH + " 1f2a24 5a1f1f d0b070 e8e8e0", 0.2), pick(rng, "e8d8a0 f0f0e8 20180f c8a040", 0.1)
    band = ((np.abs(t - 0.12) < 0.015) | (np.abs(t - 0.88) < 0.015)).astype(np.float32) * (rng.random() < 0.7)
    strokes = fractal_line(rng, 256, 0.3)[(np.clip(t, 0, 1) * 255).astype(int)]
    title = (
        (np.abs(u - 0.5) < 0.2)
        & (t > 0.22)
        & (t < rng.uniform(0.5, 0.75))
        & (strokes > -0.1)
        & (np.sin(u * 40 + strokes * 9) > -0.5)
    )
    face = mix(mix(tint, ink, band), ink, 0.9 * title.astype(np.float32))
    normal = np.clip((u - 0.5) * 1.7, -0.95, 0.95)
    lit = light.on(normal, np.zeros_like(u), np.sqrt(1 - normal**2)) * grain[..., None]
    canvas.paint(inside.astype(np.float32), (face * lit).astype(np.float32))


def _petals(canvas: Canvas, center: tuple[float, float], size: float, tint: Array, light: Light) -> None:
    rng = canvas.rng
    count, rings = int(rng.integers(6, 14)), int(rng.integers(1, 4))
    slim = float(rng.uniform(0.45, 0.8)) * 8 / count
    for ring in range(rings):
        reach = size * (1 - 0.25 * ring)
        for number in range(count):
            angle = 6.283 * (number + 0.5 * ring) / count + float(rng.normal(0, 0.06))
            place = (center[0] + 0.52 * reach * np.cos(angle), center[1] + 0.52 * reach * np.sin(angle))
            facing = 0.8 + 0.3 * (light.direction[0] * np.cos(angle) + light.direction[1] * np.sin(angle))
            canvas.shadow((place[0] + 0.01, place[1] + 0.012), reach * 0.45, 0.3, 0.6)
            tone = tint * (light.sun * 0.9 + light.ambient * 0.6)
            canvas.stamp(
                place, reach * 0.55, leaf(tone, float(facing * rng.uniform(0.85, 1.1)), 0.05, 0.25), slim, angle
            )
    heart = pick(rng, "d8a020 6a3a1a 5a6a20 e0c060")
    for _ in range(90):
        r, angle = size * 0.2 * np.sqrt(rng.random()), rng.uniform(0, 6.283)
        place = (center[0] + r * np.cos(angle), center[1] + r * np.sin(angle))
        canvas.stamp(place, size * 0.035, ball(light, heart * float(rng.uniform(0.6, 1.2)), 0.2))
