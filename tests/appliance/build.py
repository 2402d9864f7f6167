"""Builds what the scenarios share before the first one runs, side by side where one does not need the other."""
from concurrent.futures import ThreadPoolExecutor

from harness import appliance, products

with ThreadPoolExecutor() as pool:
    for made in [pool.submit(make) for make in (products.image, products.agent, products.carrier)]:
        made.result()
appliance.installed()
