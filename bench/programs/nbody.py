"""The orbits of the Sun and the four giant planets, from the well-known benchmark.

``size`` is the number of time steps.
"""

from itertools import combinations
from math import pi

SIZES = {"quick": 25_000, "full": 100_000}

SOLAR_MASS = 4 * pi * pi
DAYS_PER_YEAR = 365.24
TIME_STEP = 0.01

# name -> position in astronomical units, velocity in astronomical units per day, mass in solar masses
PLANETS = {
    "sun": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0),
    "jupiter": (
        (4.84143144246472090e00, -1.16032004402742839e00, -1.03622044471123109e-01),
        (1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05),
        9.54791938424326609e-04,
    ),
    "saturn": (
        (8.34336671824457987e00, 4.12479856412430479e00, -4.03523417114321381e-01),
        (-2.76742510726411e-03, 4.99852801234917238e-03, 2.30417297573763929e-05),
        2.85885980666130812e-04,
    ),
    "uranus": (
        (1.28943695621391310e01, -1.51111514016986312e01, -2.23307578892655734e-01),
        (2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05),
        4.36624404335156298e-05,
    ),
    "neptune": (
        (1.53796971148509165e01, -2.59193146099879641e01, 1.79258772950371181e-01),
        (2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05),
        5.15138902046611451e-05,
    ),
}

type Body = tuple[list[float], list[float], float]


def make_bodies() -> list[Body]:
    """Fresh [x, y, z] positions, velocities per year, and masses, with the total momentum zero."""
    bodies = []
    for position, velocity, mass in PLANETS.values():
        bodies.append((list(position), [v * DAYS_PER_YEAR for v in velocity], mass * SOLAR_MASS))
    px = py = pz = 0.0
    for _, (vx, vy, vz), mass in bodies:
        px -= vx * mass
        py -= vy * mass
        pz -= vz * mass
    sun_velocity = bodies[0][1]
    sun_velocity[0] = px / SOLAR_MASS
    sun_velocity[1] = py / SOLAR_MASS
    sun_velocity[2] = pz / SOLAR_MASS
    return bodies


def advance(bodies: list[Body], pairs: list[tuple[Body, Body]], dt: float, steps: int) -> None:
    """Move all bodies ``steps`` steps of ``dt`` years."""
    for _ in range(steps):
        for ([x1, y1, z1], v1, m1), ([x2, y2, z2], v2, m2) in pairs:
            dx = x1 - x2
            dy = y1 - y2
            dz = z1 - z2
            magnitude = dt * ((dx * dx + dy * dy + dz * dz) ** -1.5)
            b1m = m1 * magnitude
            b2m = m2 * magnitude
            v1[0] -= dx * b2m
            v1[1] -= dy * b2m
            v1[2] -= dz * b2m
            v2[0] += dx * b1m
            v2[1] += dy * b1m
            v2[2] += dz * b1m
        for r, [vx, vy, vz], _ in bodies:
            r[0] += dt * vx
            r[1] += dt * vy
            r[2] += dt * vz


def energy(bodies: list[Body], pairs: list[tuple[Body, Body]]) -> float:
    """Kinetic plus potential energy of the whole system."""
    total = 0.0
    for ([x1, y1, z1], _, m1), ([x2, y2, z2], _, m2) in pairs:
        dx = x1 - x2
        dy = y1 - y2
        dz = z1 - z2
        total -= m1 * m2 / (dx * dx + dy * dy + dz * dz) ** 0.5
    for _, [vx, vy, vz], mass in bodies:
        total += mass * (vx * vx + vy * vy + vz * vz) / 2.0
    return total


def run(size: int) -> float:
    """The energy after ``size`` steps plus every coordinate, so that no step can be left out."""
    bodies = make_bodies()
    pairs = list(combinations(bodies, 2))
    advance(bodies, pairs, TIME_STEP, size)
    checksum = energy(bodies, pairs)
    for position, _, _ in bodies:
        checksum += sum(position)
    return checksum


if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from script import main

    raise SystemExit(main(run, SIZES))
