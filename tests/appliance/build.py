"""Builds what the scenarios share before the first one runs, side by side where one does not need the other.

    build.py [--without-agent]    what does not need the agent alone: while it is being compiled, for one
"""
import sys
from concurrent.futures import ThreadPoolExecutor

from harness import appliance, products

makers = [products.image, products.carrier, products.light_media]
alone = sys.argv[1:] == ["--without-agent"]
with ThreadPoolExecutor() as pool:
    for made in [pool.submit(make) for make in makers + ([] if alone else [products.agent])]:
        made.result()
if not alone:
    appliance.running()
