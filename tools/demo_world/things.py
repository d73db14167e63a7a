"""Things that scenes are made of: balls, leaves, trees, skies, grounds in perspective, surfaces."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from demo_world.canvas import Array, Canvas, Shader, color, fractal_noise, gaussian, mix, pick, smooth


@dataclass(frozen=True)
class Light:
    """Where the light comes from (unit vector, x right, y down, z towards the viewer) and its colors."""

    direction: Array
    sun: Array
    ambient: Array

    def on(self, nx: Array, ny: Array, nz: Array) -> Array:
        """The light on surfaces with the given normals, `(n, n, 3)`."""
        lambert = np.clip(nx * self.direction[0] + ny * self.direction[1] + nz * self.direction[2], 0, None)
        from_above = 0.6 - 0.4 * ny
        return (lambert[..., None] * self.sun + from_above[..., None] * self.ambient).astype(np.float32)


def daylight(rng: np.random.Generator, warm: float | None = None) -> Light:
    """Sun from above, left or right, and sky light; `warm` 0 is noon, 1 is a low sun."""
    warm = float(rng.uniform(0, 1)) if warm is None else warm
    side = -1 if rng.random() < 0.5 else 1
    direction = np.array([side * rng.uniform(0.35, 0.8), -rng.uniform(0.45, 0.9), rng.uniform(0.35, 0.7)])
    sun = mix(np.array([1.0, 0.97, 0.9], np.float32), np.array([1.0, 0.72, 0.44], np.float32), warm)
    ambient = np.array([0.24, 0.28, 0.36], np.float32) * rng.uniform(0.6, 1.1)
    return Light((direction / np.linalg.norm(direction)).astype(np.float32), sun, ambient.astype(np.float32))


def ball(light: Light, base: Array, gloss: float = 0.3, mottle: Array | None = None) -> Shader:
    """A shaded ball; `mottle` `(m, m)` varies its color."""

    def shade(u: Array, v: Array) -> tuple[Array, Array]:
        r2 = np.clip(u * u + v * v, 0, 1)
        nz = np.sqrt(1 - r2)
        albedo = np.broadcast_to(base, (*u.shape, 3))
        if mottle is not None:
            at = [((v + 1) * 0.5 * (mottle.shape[0] - 1)), ((u + 1) * 0.5 * (mottle.shape[1] - 1))]
            albedo = albedo * np.exp(0.22 * ndimage.map_coordinates(mottle, at, order=1, mode="wrap"))[..., None]
        bright = albedo * light.on(u, v, nz)
        half = light.direction + np.array([0, 0, 1], np.float32)
        half = half / np.linalg.norm(half)
        shine = np.clip(u * half[0] + v * half[1] + nz * half[2], 0, 1) ** 60
        return _inside(1 - np.hypot(u, v)), (bright + gloss * shine[..., None] * light.sun).astype(np.float32)

    return shade


def leaf(base: Array, brightness: float, bend: float, taper: float = 0.8) -> Shader:
    """A leaf along u with a midrib, one half brighter than the other; a small `taper` makes it a round petal."""

    def shade(u: Array, v: Array) -> tuple[Array, Array]:
        v = v - bend * (u * u - 0.4)
        width = np.clip(1 - u * u, 0, 1) ** taper * (1 + (0.55 - taper) * u)
        side = np.where(v > 0, 1.12, 0.88)
        rib = 1 + 0.35 * np.exp(-((v / 0.07) ** 2))
        veins = 1 + 0.09 * taper * np.sin(26 * (u + 0.6 * np.abs(v)))
        return _inside(0.45 * width - np.abs(v) * 0.45 - 0.02), base * (brightness * side * rib * veins)[..., None]

    return shade


def glow(tint: Array, strength: float) -> Shader:
    """A bright spot that fades outwards."""

    def shade(u: Array, v: Array) -> tuple[Array, Array]:
        return strength * np.clip(1 - np.hypot(u, v), 0, 1) ** 3.5, np.broadcast_to(tint, (*u.shape, 3))

    return shade


def disc(tint: Array, strength: float = 1.0, rim: float = 0.0) -> Shader:
    """A flat disc, as an out-of-focus light is drawn; `rim` brightens its edge."""

    def shade(u: Array, v: Array) -> tuple[Array, Array]:
        r = np.hypot(u, v)
        return strength * _inside(1 - r), tint * (1 + rim * smooth(r, 0.75, 1.0))[..., None]

    return shade


def sky(canvas: Canvas, zenith: Array, horizon_color: Array, horizon: float, clouds: float, light: Light) -> None:
    """A sky over the whole canvas, with clouds lit from above; `clouds` 0 none .. 1 overcast."""
    canvas.rgb[:] = mix(zenith, horizon_color, smooth(canvas.y, 0.0, horizon) ** 1.3)
    if clouds <= 0:
        return
    flat = canvas.noise(1.6, (0.6, 1.5)[::-1])
    cover = smooth(flat + 0.15 * canvas.noise(1.1), 1.0 - 2.0 * clouds, 2.6 - 1.7 * clouds)
    under = gaussian(np.roll(cover, int(-0.03 * canvas.side), axis=0), canvas.side * 0.02)
    white = light.sun * 0.95 + light.ambient * 0.4
    shade = mix(white, horizon_color * 0.75 + light.ambient * 0.3, np.clip(0.75 * under * cover, 0, 1))
    canvas.paint(cover * smooth(horizon - canvas.y, 0.0, 0.25) * 0.95, shade)


def ground_coordinates(canvas: Canvas, horizon: float, height: float = 0.35) -> tuple[Array, Array, Array]:
    """Position on a plane seen in perspective: across, along (both in units of eye height), and nearness 0..1."""
    below = np.maximum(canvas.y - horizon, 1e-3)
    along = height / below
    return (canvas.x - 0.5) * along / height, along, np.clip(below / (1.0 - horizon), 0, 1)


def sample(texture: Array, across: Array, along: Array, repeat: float) -> Array:
    """Look a periodic texture up at plane coordinates; `repeat` units make one period."""
    at = [along / repeat * texture.shape[0], across / repeat * texture.shape[1]]
    return ndimage.map_coordinates(texture, at, order=1, mode="grid-wrap").astype(np.float32)


def tree(
    canvas: Canvas, base: tuple[float, float], height: float, palette: str, light: Light, haze: Array, far: float
) -> None:
    """A tree: trunk, branches and a crown of leaf clumps, darker below; `far` 0..1 mixes it into the haze."""
    rng = canvas.rng
    x, y = base
    bark = mix(color("4a3a2c") * (light.sun + light.ambient) * 0.6, haze, far)
    trunk = (
        (np.abs(canvas.x - x - 0.01 * np.sin(9 * canvas.y)) < height * 0.035)
        & (canvas.y < y)
        & (canvas.y > y - 0.6 * height)
    )
    canvas.paint(trunk.astype(np.float32), bark)
    clumps = [(rng.normal(0, 0.17), -0.62 + rng.normal(0, 0.17)) for _ in range(26)]
    tint = pick(rng, palette)
    for dx, dy in sorted(clumps, key=lambda clump: -clump[1]):
        center, radius = (x + dx * height, y + dy * height), height * rng.uniform(0.09, 0.17)
        for _ in range(70):
            angle, r = rng.uniform(0, 6.283), radius * np.sqrt(rng.random())
            px, py = center[0] + r * np.cos(angle), center[1] + r * np.sin(angle) * 0.85
            facing = (light.direction[0] * np.cos(angle) + light.direction[1] * np.sin(angle)) * r / radius
            lit = np.clip(0.45 + 0.55 * facing + 0.35 * (-dy - 0.6), 0.06, 1.1) * rng.uniform(0.7, 1.3)
            tone = mix(tint * (lit * light.sun + 0.5 * light.ambient), haze, far)
            size = height * rng.uniform(0.012, 0.03)
            canvas.stamp((px, py), size, leaf(tone, 1.0, 0.2), 0.75, float(rng.uniform(0, 6.283)))


def bricks(rng: np.random.Generator, u: Array, v: Array, palette: str, course: float) -> Array:
    """A brick wall over wall coordinates `(n, n)`: tone of each brick, mortar, fine grain; albedo `(n, n, 3)`."""
    row = np.floor(v / course).astype(int)
    column = np.floor(u / (2.6 * course) + 0.5 * (row % 2)).astype(int)
    tones = np.stack([pick(rng, palette, 0.18) for _ in range(211)])
    wall = tones[(row * 31 + column * 17) % 211]
    across = np.minimum(*_to_edges(u / (2.6 * course) + 0.5 * (row % 2))) * 2.6
    up = np.minimum(*_to_edges(v / course))
    mortar = 1 - smooth(np.minimum(across, up), 0.05, 0.11)
    return mix(wall, color("a39a8e") * 0.8, mortar)


def wood(rng: np.random.Generator, u: Array, v: Array, palette: str, plank: float) -> Array:
    """Planks along u with grain and gaps over coordinates `(n, n)`; albedo `(n, n, 3)`."""
    number = np.floor(v / plank).astype(int)
    tones = np.stack([pick(rng, palette, 0.1) for _ in range(37)])
    shift = rng.uniform(0, 9, 37)[number % 37].astype(np.float32)
    swirl = sample(fractal_noise(rng, 512, 1.6, (6.0, 1.0)), u + shift, v + shift, 1.0)
    grain = np.sin(60 * v / max(plank, 0.08) * 0.12 + 5 * swirl)
    fibre = sample(fractal_noise(rng, 512, 0.7, (14.0, 1.0)), u + shift, v, 0.7)
    gap = 1 - smooth(np.minimum(*_to_edges(v / plank)), 0.008, 0.025)
    return tones[number % 37] * (np.exp(0.16 * grain + 0.10 * fibre) * (1 - 0.8 * gap))[..., None]


def _to_edges(value: Array) -> tuple[Array, Array]:
    fraction = value - np.floor(value)
    return fraction, 1 - fraction


def _inside(distance: Array) -> Array:
    """Opacity from the distance to the edge in own units (positive inside), about one fine pixel soft."""
    return np.clip(distance * 40 + 0.5, 0, 1).astype(np.float32)
