"""How often one client may ask."""

import pytest

from medkg.domain.errors import RateLimited
from medkg_api.limits import RateLimiter


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def passed(limiter: RateLimiter, address: str, number: int) -> int:
    """Return how many of a number of requests pass."""
    found = 0
    for _ in range(number):
        try:
            limiter.check(address)
        except RateLimited:
            continue
        found += 1
    return found


def test_half_of_a_minute_may_come_at_once() -> None:
    """A burst of half the rate passes; then as many as the time gives back."""
    clock = Clock()
    limiter = RateLimiter(60, clock)

    assert passed(limiter, "192.0.2.1", 100) == 30
    clock.now += 2.5
    assert passed(limiter, "192.0.2.1", 100) == 2
    clock.now += 0.5
    assert passed(limiter, "192.0.2.1", 100) == 1
    clock.now += 3_600
    assert passed(limiter, "192.0.2.1", 100) == 30


@pytest.mark.parametrize(("rate", "wait"), [(60, 1), (6, 10), (1, 60), (600, 1)])
def test_a_refusal_says_how_long_to_wait(rate: int, wait: int) -> None:
    """Who waits as long as told gets through; who waits less does not."""
    clock = Clock()
    limiter = RateLimiter(rate, clock)
    passed(limiter, "192.0.2.1", rate)

    with pytest.raises(RateLimited) as caught:
        limiter.check("192.0.2.1")

    assert caught.value.retry_after == wait
    clock.now += wait - 1
    assert passed(limiter, "192.0.2.1", 1) == 0
    clock.now += 1
    limiter.check("192.0.2.1")


def test_asking_while_refused_does_not_prolong_the_wait() -> None:
    """Refused requests cost nothing."""
    clock = Clock()
    limiter = RateLimiter(60, clock)
    passed(limiter, "192.0.2.1", 30)

    for _ in range(10):
        clock.now += 0.1
        passed(limiter, "192.0.2.1", 5)

    assert clock.now == pytest.approx(1_001)
    clock.now += 0.1
    assert passed(limiter, "192.0.2.1", 5) <= 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("testclient", "other", False),
        ("", "192.0.2.1", False),
    ],
)
def test_whose_bucket_it_is(one: str, other: str, same: bool) -> None:
    """An IPv4 address is a client, however it is written, and a /64 of IPv6 is one."""
    limiter = RateLimiter(2, Clock())

    assert passed(limiter, one, 5) == 1
    assert passed(limiter, other, 5) == (0 if same else 1)


def test_nothing_is_counted_without_a_limit() -> None:
    """With 0 all pass."""
    assert passed(RateLimiter(0, Clock()), "192.0.2.1", 10_000) == 10_000


def test_many_clients_take_bounded_memory() -> None:
    """Who is forgotten begins anew; the others are still counted."""
    limiter = RateLimiter(2, Clock())
    for number in range(30_000):
        limiter.check(f"10.{number // 65_536}.{number // 256 % 256}.{number % 256}")

    assert len(limiter._buckets) <= 20_000
    assert passed(limiter, "10.0.117.47", 1) == 0
