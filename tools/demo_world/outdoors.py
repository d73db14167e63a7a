"""Scenes under the sky: hills, shore, houses, night street."""

import numpy as np

from demo_world.canvas import Array, Canvas, color, disc_blur, fractal_line, gaussian, mix, pick, relief, smooth
from demo_world.things import Light, bricks, daylight, disc, glow, ground_coordinates, leaf, sample, sky, tree, wood

GREENS = "4f7a3c 3f6634 678a4a 355a38 748f52"
AUTUMN = "a8643a 9a7c42 864834 b09050 6f7a45"
BRICK = "8f4a35 a25a40 7d4234 b06a4c 94543f"
PLASTER = "d9cdb4 c9a57a e0d9cc b7c0c4 d4b4a0 9fb0a0 c98f6a"
BOARDS = ("6f8f9c", "c9c0ae", "8f4a3f", "a9b08a", "5f6f60", "8a6a4c 7f6046 946f50")
ZENITH = "3f78bd 4a86c8 5a93cf 3a6aa8"


def hills(canvas: Canvas) -> None:
    """Mountain ridges in haze, a meadow in perspective, trees; noon, overcast or late sun."""
    rng = canvas.rng
    light = daylight(rng)
    late = light.sun[2] < 0.62
    horizon = float(rng.uniform(0.42, 0.6))
    low = mix(color("c9d9e6"), color("f2c08a"), 0.8 if late else 0.1)
    high = mix(pick(rng, ZENITH), color("7f8fb0"), 0.5 if late else 0.0)
    sky(canvas, high, low, horizon, float(rng.uniform(0.15, 0.75)), light)
    haze = low * 0.85
    layers = int(rng.integers(2, 5))
    for layer in range(layers):
        near = (layer + 1) / layers
        _ridge(canvas, light, horizon, near, haze)
    _meadow(canvas, light, horizon, haze)
    palette = AUTUMN if rng.random() < 0.35 else GREENS
    for y in sorted(rng.uniform(0.0, 0.75, int(rng.integers(2, 7))) ** 1.6):
        nearness = 0.06 + y
        base = (float(rng.uniform(0.02, 0.98)), horizon + 0.02 + y * (1 - horizon) * 0.9)
        size = 0.12 + 0.75 * nearness * (1 - horizon)
        canvas.shadow((base[0] - 0.3 * size * float(light.direction[0]), base[1]), 0.4 * size, 0.6, 0.2)
        tree(canvas, base, size, palette, light, haze, float(0.5 * np.exp(-6 * nearness)))


def shore(canvas: Canvas) -> None:
    """Sea with waves and glints, a beach, boats or umbrellas."""
    rng = canvas.rng
    light = daylight(rng)
    late = light.sun[2] < 0.6
    horizon = float(rng.uniform(0.3, 0.5))
    low = mix(color("cfe0ec"), color("f4b27a"), 0.9 if late else 0.0)
    sky(
        canvas,
        mix(pick(rng, ZENITH), color("6a6f9a"), 0.6 if late else 0.0),
        low,
        horizon,
        float(rng.uniform(0.1, 0.7)),
        light,
    )
    across, along, near = ground_coordinates(canvas, horizon)
    waves = sample(canvas.noise(1.2, (2.0, 0.6)), across, along, 9.0)
    waves = waves * (0.25 + 0.75 * near**0.6)
    deep, shallow = pick(rng, "1c4a63 205a6e 2b5f7c 1f4f58"), pick(rng, "4f9a98 5fa8a0 6fa5a8")
    beach_at = float(rng.uniform(0.72, 0.9))
    line = beach_at + 0.03 * fractal_line(rng, canvas.side, 1.6)[None, :] + rng.uniform(-0.15, 0.15) * (canvas.x - 0.5)
    water = mix(deep, shallow, smooth(canvas.y, horizon + 0.1, beach_at) * 0.8)
    mirrored = mix(water, low * 0.9, np.clip(0.35 + 0.22 * waves - 0.4 * near, 0.02, 0.75).astype(np.float32))
    canvas.paint((canvas.y > horizon).astype(np.float32), mirrored * (0.85 + 0.12 * waves[..., None]))
    glint = smooth(waves, 1.3, 2.0) * np.exp(-(((canvas.x - rng.uniform(0.2, 0.8)) / 0.16) ** 2)) * (canvas.y > horizon)
    canvas.paint((0.8 * glint).astype(np.float32), light.sun * 1.3)
    sand = sample(canvas.noise(0.9), across, along, 1.5)
    bumps = relief(gaussian(sand, 4.0), 2.2)
    wet = smooth(canvas.y - line, 0.0, 0.05)
    tone = pick(rng, "cdbb9a c2ae8c d4c6aa b8a284") * (light.sun * 0.75 + light.ambient * 0.5)
    canvas.paint(
        (canvas.y > line).astype(np.float32), tone * ((0.45 + 0.55 * wet) * bumps * (1 + 0.04 * sand))[..., None]
    )
    edge = canvas.y - line + 0.012 * canvas.noise(1.2)
    canvas.paint(0.85 * smooth(edge, -0.03, -0.01) * (1 - smooth(edge, 0.0, 0.006)), color("eef2f0") * 0.95)
    for _ in range(int(rng.integers(1, 4))):
        _boat(canvas, float(rng.uniform(0.1, 0.9)), horizon + float(rng.uniform(0.01, 0.15)), light)


def houses(canvas: Canvas) -> None:
    """A facade of brick, plaster or boards with windows, seen a little from the side, half in the sun."""
    rng = canvas.rng
    light = daylight(rng)
    sky(canvas, pick(rng, ZENITH), color("cfdce6"), 1.0, float(rng.uniform(0.1, 0.5)), light)
    tilt, lean = float(rng.uniform(-0.45, 0.45)), float(rng.uniform(-0.1, 0.1))
    depth = 1 + tilt * (canvas.x - 0.5) + lean * (canvas.y - 0.5)
    u, v = (canvas.x - 0.5) / depth + 3.1, (canvas.y - 0.5) / depth + 3.1
    zoom = float(rng.uniform(0.8, 1.8))
    u, v = u / zoom, v / zoom
    kind = rng.integers(3)
    if kind == 0:
        wall = bricks(rng, u, v, BRICK, 0.022)
    elif kind == 1:
        wall = (
            np.broadcast_to(pick(rng, PLASTER), canvas.rgb.shape)
            * np.exp(0.05 * canvas.noise(1.0) + 0.05 * canvas.noise(1.8))[..., None]
        )
    else:
        wall = wood(rng, u, v, BOARDS[int(rng.integers(len(BOARDS)))], 0.03)
    roof = (3.1 - float(rng.uniform(0.25, 0.6))) / zoom
    edge = float(rng.uniform(0.0, 1.0))
    slanted = smooth(edge + 0.5 * (canvas.x - 0.5) * np.sign(light.direction[0]) + 0.25 - 0.6 * canvas.y, -0.012, 0.012)
    lit = light.ambient * 1.1 + light.sun * (0.85 * slanted)[..., None]
    canvas.paint(smooth(v, roof, roof + 0.004), (wall * lit).astype(np.float32))
    cornice = smooth(v, roof, roof + 0.004) * (1 - smooth(v, roof + 0.03, roof + 0.034))
    canvas.paint(cornice, mix(pick(rng, "e8e0d0 8a8078 5a5650"), color("000000"), 0.1) * lit)
    canvas.paint(
        0.5 * smooth(v, roof + 0.03, roof + 0.034) * (1 - smooth(v, roof + 0.035, roof + 0.07)), color("101014")
    )
    _windows(canvas, u, v, roof + 0.07, lit, light)


def night(canvas: Canvas) -> None:
    """A street at night: lit windows, neon signs and lamps with their glow, all mirrored in a wet road."""
    rng = canvas.rng
    road = float(rng.uniform(0.62, 0.75))
    canvas.rgb[:] = mix(color("0b1024"), color("2a2238"), smooth(canvas.y, 0.0, road))
    left = 0.0
    while left < 1.0:
        width, top = float(rng.uniform(0.12, 0.34)), float(rng.uniform(0.02, 0.4))
        _dark_house(canvas, left, left + width, top, road)
        left += width
    lamps = [(float(rng.uniform(0, 1)), float(rng.uniform(0.3, road - 0.03))) for _ in range(int(rng.integers(5, 10)))]
    for x, y in lamps:
        tint = pick(rng, "ffd9a0 ffc070 ff5a4a 7fd0ff ffe9c8 ff70b0 70ff9a") * 2.5
        canvas.stamp((x, y), float(rng.uniform(0.006, 0.015)), disc(tint))
        canvas.stamp((x, y), float(rng.uniform(0.06, 0.16)), glow(tint, 0.35))
    for _ in range(int(rng.integers(1, 4))):
        _neon(canvas, float(rng.uniform(0.1, 0.8)), float(rng.uniform(0.15, road - 0.12)))
    _wet_road(canvas, road)


def _ridge(canvas: Canvas, light: Light, horizon: float, near: float, haze: Array) -> None:
    rng = canvas.rng
    line = horizon - 0.05 - 0.22 * (1 - near) + 0.06 * fractal_line(rng, canvas.side, 1.45)
    height = canvas.noise(1.5) + 0.3 * canvas.noise(1.0)
    forest = mix(pick(rng, "3f5a38 4a5f3a 5a5f48 6a6a5a"), pick(rng, "7a7468 8a8478 5f6a50"), smooth(height, -0.5, 1.0))
    bright = relief(gaussian(height, 2.5), 4.5, (float(light.direction[0]), -0.8))
    base = forest * bright[..., None] * (light.sun * 0.7 + light.ambient * 0.6)
    far = float(np.clip(0.85 * (1 - near) + 0.25, 0, 0.85))
    canvas.paint(smooth(canvas.y - line[None, :], 0.0, 0.004), mix(base, haze, far))


def _meadow(canvas: Canvas, light: Light, horizon: float, haze: Array) -> None:
    rng = canvas.rng
    across, along, near = ground_coordinates(canvas, horizon)
    patches = sample(canvas.noise(1.3), across, along, 8.0)
    blades = sample(canvas.noise(0.6, (0.6, 1.6)), across, along, 1.2) * near**0.4
    grass = mix(pick(rng, GREENS), pick(rng, "8f9258 a89c70 738a4a"), smooth(patches, -0.8, 1.2))
    ground = grass * np.exp(0.28 * blades + 0.12 * patches)[..., None] * (light.sun * 0.75 + light.ambient * 0.6)
    flowers = smooth(sample(canvas.noise(0.3), across, along, 1.6), 2.3, 2.5) * smooth(near, 0.1, 0.4) * (patches > 0.2)
    ground = mix(
        ground, pick(rng, "e8d040 e8e8f0 d05a6a 9a70c0") * (light.sun + light.ambient) * 0.8, flowers.astype(np.float32)
    )
    if rng.random() < 0.6:
        bend = rng.uniform(-0.5, 0.5)
        middle = rng.uniform(-0.3, 0.3) + bend * np.minimum(along, 12) * 0.12
        track = 1 - smooth(np.abs(across - middle) + 0.03 * patches, 0.14, 0.2)
        soil = pick(rng, "9a7f5f 8a6f52 b09a7a") * (light.sun * 0.8 + light.ambient * 0.5)
        ground = mix(ground, soil * np.exp(0.15 * blades)[..., None], track)
    canvas.paint((canvas.y > horizon).astype(np.float32), mix(ground, haze, 0.75 * (1 - near) ** 9))
    _tufts(canvas, horizon, light)


def _tufts(canvas: Canvas, horizon: float, light: Light) -> None:
    """Single blades of grass, larger towards the viewer."""
    rng = canvas.rng
    tints = [pick(rng, GREENS + " 9a9a62 b0a878", 0.2) * (light.sun + light.ambient) for _ in range(40)]
    for near in np.sort(rng.uniform(0.15, 1.0, int(rng.integers(300, 900)))):
        place = (float(rng.random()), horizon + float(near) * (1.03 - horizon))
        blade = leaf(tints[int(rng.integers(40))], float(rng.uniform(0.4, 1.0)), float(rng.uniform(-2, 2)), 0.7)
        canvas.stamp(place, 0.035 * float(near) ** 1.5, blade, 0.16, -1.57 + float(rng.normal(0, 0.3)))


def _boat(canvas: Canvas, x: float, y: float, light: Light) -> None:
    size = 0.012 + 0.2 * max(0.0, y - 0.4) + 0.018
    tint, lit = pick(canvas.rng, "c0392b e8e4da 2a5a8a e0a030 d9d2c4"), light.sun * 0.8 + light.ambient * 0.6
    dx, dy = (canvas.x - x) / size, (canvas.y - y) / size
    hull = (dy > -0.35) & (dy < 0.05) & (np.abs(dx) < 1.0 + 0.6 * np.minimum(-dy, 0) + 0.3)
    sail = (dy < -0.42) & (dy > -2.6) & (dx > 0.04) & (dx < 0.04 + 0.42 * (dy + 2.6))
    mast = (np.abs(dx) < 0.03) & (dy < -0.3) & (dy > -2.7)
    shade = (dy > 0.05) & (dy < 0.4) & (np.abs(dx) < 0.9)
    canvas.paint(0.5 * shade.astype(np.float32), tint * 0.15)
    canvas.paint(hull.astype(np.float32), tint * lit)
    canvas.paint(mast.astype(np.float32), color("40342a") * lit)
    canvas.paint(sail.astype(np.float32), pick(canvas.rng, "f2efe6 e8ddc8 d8503a") * lit)


def _windows(canvas: Canvas, u: Array, v: Array, top: float, lit: Array, light: Light) -> None:
    rng = canvas.rng
    pitch, rows = float(rng.uniform(0.17, 0.26)), float(rng.uniform(0.24, 0.32))
    width, height = pitch * rng.uniform(0.45, 0.6), rows * rng.uniform(0.55, 0.68)
    column, row = np.floor(u / pitch), np.floor((v - top) / rows)
    du, dv = (u / pitch - column - 0.5) * pitch, ((v - top) / rows - row - 0.5) * rows
    inside = np.minimum(width / 2 - np.abs(du), height / 2 - np.abs(dv))
    below = v > top
    opening, pane = smooth(inside, 0.0, 0.003) * below, smooth(inside, 0.008, 0.010) * below
    bars = (np.abs(du) < 0.004) | (np.abs(dv + height * 0.12) < 0.004)
    frame = pick(rng, "f0ece2 e6e0d4 4a3a30 2f4a3f 70382c") * lit
    cell = (column.astype(int) * 7 + row.astype(int) * 13) % 29
    open_dark = mix(color("0d1116"), color("3a3026"), float(rng.uniform(0, 0.6)))
    mirrored = rng.uniform(0.05, 0.6, 29)[cell].astype(np.float32) * np.exp(0.25 * canvas.noise(1.6))
    glass = mix(open_dark, color("b8cede"), np.clip(mirrored, 0, 0.9))
    curtain = (rng.random(29)[cell] < 0.4) & (np.abs(du) > width * rng.uniform(0.12, 0.3, 29)[cell])
    cloth = pick(rng, "e8e0d0 c8b8a0 d8d8e0 b04a40") * (0.35 + 0.12 * np.sin(du * 900))[..., None]
    glass = np.where(curtain[..., None], cloth, glass)
    shade = smooth(dv + height / 2, 0.0, 0.035)
    glass = glass * (0.35 + 0.65 * shade)[..., None]
    canvas.paint(opening, frame)
    canvas.paint(pane * (1 - bars), glass.astype(np.float32))
    sill = (np.abs(du) < width * 0.58) & (dv > height / 2) & (dv < height / 2 + 0.014) & below
    cast = (np.abs(du) < width * 0.58) & (dv > height / 2 + 0.014) & (dv < height / 2 + 0.032) & below
    canvas.paint(sill.astype(np.float32), pick(rng, "c8c0b0 e0dcd0 8a8680") * lit)
    canvas.paint(0.5 * cast.astype(np.float32), color("141418"))


def _dark_house(canvas: Canvas, left: float, right: float, top: float, road: float) -> None:
    rng = canvas.rng
    body = (canvas.x >= left) & (canvas.x < right) & (canvas.y > top) & (canvas.y < road)
    wall = pick(rng, "2a2630 33302f 1f2430 3a2c28 262c2a") * (0.5 + 0.9 * smooth(canvas.y, top, road))[..., None]
    canvas.paint(body.astype(np.float32), (wall * np.exp(0.12 * canvas.noise(1.0))[..., None]).astype(np.float32))
    columns = int(rng.integers(3, 6))
    pitch, rows = (right - left) / columns, float(rng.uniform(0.05, 0.08))
    column, row = np.floor((canvas.x - left) / pitch), np.floor((canvas.y - top - 0.03) / rows)
    du, dv = (canvas.x - left) / pitch - column - 0.5, (canvas.y - top - 0.03) / rows - row - 0.5
    pane = body & (np.abs(du) < 0.3) & (np.abs(dv) < 0.33) & (canvas.y > top + 0.03) & (canvas.y < road - 0.1)
    cell = (column.astype(int) * 5 + row.astype(int) * 11) % 43
    tones = np.stack([pick(rng, "ffcf80 ffe0b0 ffb560 e8f0ff ffd9a8", 0.4) * 1.1 for _ in range(43)])
    tones[rng.random(43) < 0.55] = color("10131c")
    inner = 0.55 + 0.45 * smooth(-dv, -0.4, 0.3)
    canvas.paint(pane.astype(np.float32), (tones[cell] * inner[..., None]).astype(np.float32))
    if rng.random() < 0.7:
        shop = (
            (canvas.x > left + 0.02) & (canvas.x < right - 0.02) & (canvas.y > road - 0.09) & (canvas.y < road - 0.01)
        )
        goods = np.exp(0.8 * np.sign(np.sin(canvas.x * rng.uniform(120, 260)) + 0.3))
        canvas.paint(
            shop.astype(np.float32),
            pick(rng, "ffd890 ffeccc a0d8ff ffb0a0") * (0.5 * goods)[..., None].astype(np.float32),
        )


def _neon(canvas: Canvas, x: float, y: float) -> None:
    """A sign of bent glowing tubes."""
    rng = canvas.rng
    tint = pick(rng, "ff2a6a 20e0ff ff8a20 60ff50 c050ff ffe040", 0.05) * 2.2
    lines = np.full(canvas.x.shape, np.inf, np.float32)
    wide = float(rng.uniform(0.1, 0.18))
    for letter in range(int(rng.integers(3, 6))):
        cx, r = x + letter * wide * 0.55, wide * 0.22
        dx, dy = canvas.x - cx, canvas.y - y
        ring = np.abs(np.hypot(dx, dy * 0.75) - r)
        bar = np.where(np.abs(dy) < r * 1.4, np.abs(dx + rng.uniform(-r, r)), np.inf)
        dash = np.where(np.abs(dx) < r, np.abs(dy + rng.uniform(-r, r)), np.inf)
        chosen = ((ring,), (bar, dash), (ring, dash), (bar,))[int(rng.integers(4))]
        for stroke in chosen:
            lines = np.minimum(lines, stroke)
    tube = 1 - smooth(lines, 0.004, 0.007)
    halo = gaussian(tube, canvas.side * 0.02) * 1.6 + gaussian(tube, canvas.side * 0.006) * 0.5
    canvas.rgb += halo[..., None] * tint * 0.5
    canvas.paint(tube, tint * 0.8 + 0.4)


def _wet_road(canvas: Canvas, road: float) -> None:
    ripple = canvas.noise(1.2, (2.0, 0.6))
    source = np.clip(2 * road - canvas.y + 0.02 * ripple * smooth(canvas.y, road, 1.0), 0, 0.999)
    rows = (source * canvas.side).astype(int)
    columns = np.clip(canvas.x * canvas.side + 5 * ripple, 0, canvas.side - 1).astype(int)
    smear = gaussian(disc_blur(canvas.rgb, canvas.side * 0.008), canvas.side * 0.004)
    asphalt = color("23232a") * np.exp(0.3 * canvas.noise(0.5))[..., None] * 0.5
    puddle = smooth(canvas.noise(1.5, (1.6, 0.6)), -0.8, 0.8) * 0.6 + 0.25
    canvas.paint((canvas.y > road).astype(np.float32), asphalt + smear[rows, columns] * puddle[..., None])
    kerb = smooth(canvas.y, road - 0.006, road - 0.003) * (1 - smooth(canvas.y, road + 0.004, road + 0.008))
    canvas.paint(kerb, color("5a5650") * 0.5)
