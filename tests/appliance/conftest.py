"""Builds what the scenarios need before the first one runs, and starts machines for them."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import appliance, products, small  # noqa: E402


@pytest.fixture(scope="module")
def start(request):
    """start(**options): an appliance of this module's name that answers and runs its product."""
    machines = []

    def start(*, services=appliance.SERVICES, **options):
        machine = appliance.Appliance(request.module.__name__, **options)
        machines.append(machine)
        machine.start()
        machine.wait_up()
        if "saved" in options:
            machine.set_clock()
        machine.wait_active(*services)
        machine.wait_records()
        return machine

    yield start
    for machine in machines:
        machine.kill()


@pytest.fixture(scope="module")
def small_product(start, tmp_path_factory):
    """One machine for all scenarios of a module, with a product that is renewed in a moment."""
    return small.SmallProduct(start(saved=appliance.running()), tmp_path_factory.mktemp("media"))


@pytest.fixture
def product(small_product):
    """The small product at its old version; afterwards nothing may be left behind."""
    yield small_product
    small_product.close()


@pytest.fixture(scope="session")
def carrier():
    """The disk with genuine media on it."""
    return products.carrier() / "disk.raw"


@pytest.fixture(scope="session")
def iso():
    """The genuine ISO, for the CD drive."""
    return products.media() / f"{products.STEM}.iso"
