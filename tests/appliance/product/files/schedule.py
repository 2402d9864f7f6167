#!/usr/bin/python3 -S
"""New in 4.7: counts the records of every hour."""
import time

import store

if __name__ == "__main__":
    while True:
        store.report(store.connect())
        time.sleep(3600 - time.time() % 3600)
