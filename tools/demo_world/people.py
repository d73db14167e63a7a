"""A square with people: clothes, hair and skin."""

import numpy as np

from demo_world.canvas import Array, Canvas, color, mix, pick, smooth
from demo_world.closeups import CLOTH
from demo_world.outdoors import PLASTER
from demo_world.things import Light, ball, bricks, daylight, ground_coordinates

SKIN = "f0cdb4 e2b08c c68a62 9c6544 6b4330 f4d8c6"


def crowd(canvas: Canvas) -> None:
    """People on a paved square before houses out of focus: clothes, hair and skin."""
    rng = canvas.rng
    light = daylight(rng)
    horizon = float(rng.uniform(0.3, 0.42))
    canvas.rgb[:] = mix(pick(rng, "5f93cf 86a8cc c4ced8"), color("d8e0e6"), canvas.y / horizon)
    x = -0.1
    while x < 1.0:
        width, top = float(rng.uniform(0.12, 0.3)), float(rng.uniform(-0.1, horizon - 0.12))
        house = (canvas.x > x) & (canvas.x < x + width) & (canvas.y > top)
        openings = (np.sin(canvas.x * 130 + x) > 0.3) & (np.sin(canvas.y * 95) > 0.1)
        wall = pick(rng, PLASTER + " a25a40 8a8078") * (light.sun * 0.7 + light.ambient * 0.6)
        canvas.paint(house.astype(np.float32), wall * (1 - 0.75 * openings)[..., None].astype(np.float32))
        x += width
    canvas.blur(0.009)
    across, along, _ = ground_coordinates(canvas, horizon, 0.5)
    slabs = bricks(rng, across + 40, along + 0.3, "9a948a a8a094 8a857c b0a898", 0.28)
    canvas.paint(
        smooth(canvas.y, horizon, horizon + 0.01), (slabs * (light.sun * 0.7 + light.ambient * 0.5)).astype(np.float32)
    )
    feet = np.sort(rng.uniform(0.0, 1.0, int(rng.integers(8, 18))) ** 1.4)
    for distance in feet:
        y = horizon + 0.06 + 0.75 * float(distance)
        _figure(canvas, float(rng.uniform(0.0, 1.0)), y, 1.05 * (y - horizon) + 0.05, light)


def _figure(canvas: Canvas, x: float, y: float, tall: float, light: Light) -> None:
    """Someone standing with the feet at (x, y), seen from behind or in front without detail."""
    rng = canvas.rng
    skin, hair = pick(rng, SKIN, 0.08), pick(rng, "1a120e 2c1c12 4f3420 8a6a42 6f3f2c b0a8a0")
    top, legs = pick(rng, CLOTH), pick(rng, "20283a 30302e 4a5a78 6a5a48 b0a890 2a2020")
    canvas.shadow((x - 0.25 * tall * float(light.direction[0]), y), 0.3 * tall, 0.6, 0.22)
    canvas.shadow((x, y), 0.12 * tall, 0.7, 0.35)
    stride = float(rng.uniform(0.02, 0.06))
    for side in (-1, 1):
        _limb(
            canvas, (x + 0.045 * side * tall, y - 0.5 * tall), (x + stride * side * tall, y), 0.042 * tall, legs, light
        )
        _limb(
            canvas,
            (x + stride * side * tall, y - 0.02 * tall),
            (x + (stride + 0.02) * side * tall, y),
            0.04 * tall,
            legs * 0.3,
            light,
        )
    swing = float(rng.uniform(-0.05, 0.05))
    for side in (-1, 1):
        shoulder, hand = (x + 0.11 * side * tall, y - 0.78 * tall), (x + (0.15 * side + swing) * tall, y - 0.46 * tall)
        _limb(canvas, shoulder, hand, 0.03 * tall, skin, light)
        elbow = ((shoulder[0] * 0.4 + hand[0] * 0.6), (shoulder[1] * 0.4 + hand[1] * 0.6))
        _limb(canvas, shoulder, elbow, 0.036 * tall, top, light)
    _limb(canvas, (x, y - 0.86 * tall), (x, y - 0.8 * tall), 0.035 * tall, skin, light)
    _limb(canvas, (x, y - 0.71 * tall), (x, y - 0.53 * tall), 0.098 * tall, top, light)
    head = (x, y - 0.92 * tall)
    canvas.stamp(head, 0.062 * tall, ball(light, skin, 0.05), 1.25)
    lift = 0.0 if rng.random() < 0.5 else 0.03 * tall
    canvas.stamp(
        (head[0], head[1] - 0.012 * tall - lift), 0.067 * tall, ball(light, hair, 0.05), 1.22 if lift == 0 else 0.8
    )


def _limb(
    canvas: Canvas, start: tuple[float, float], end: tuple[float, float], radius: float, base: Array, light: Light
) -> None:
    """A rounded, shaded bar between two points."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = max(float(np.hypot(dx, dy)), 1e-4)
    ax, ay = dx / length, dy / length

    def shade(u: Array, v: Array) -> tuple[Array, Array]:
        px, py = u * length + 0.5 * dx, v * length + 0.5 * dy
        along = np.clip(px * ax + py * ay, 0, length)
        ox, oy = (px - along * ax) / radius, (py - along * ay) / radius
        distance = np.hypot(ox, oy)
        nz = np.sqrt(np.clip(1 - distance**2, 0, 1))
        wrinkle = 1 + 0.08 * np.sin(along / radius * 5 + 3 * ox)
        return smooth(1 - distance, 0.0, 0.06), base * wrinkle[..., None] * light.on(0.7 * ox, 0.7 * oy, nz)

    canvas.stamp((start[0] + 0.5 * dx, start[1] + 0.5 * dy), length, shade, 1.0 + radius / length)
