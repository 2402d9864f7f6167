#!/usr/bin/python3 -S
"""The product's store of usage records: one SQLite file, every record durable before it is acknowledged."""
import os
import sqlite3
import sys
import time

HOME = "/opt/vmware/cloudusagemetering"
PATH = os.path.join(HOME, "var", "usage.db")


def release():
    """VERSION, SCHEMA and SERVICES of the release that these files belong to."""
    with open(os.path.join(HOME, "platform", "release")) as stream:
        lines = stream.read().splitlines()
    return {key: value.strip('"') for key, value in (line.split("=", 1) for line in lines)}


def connect(path=PATH):
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    # With FULL the journal's deletion is not durable: after a power cut it is there again, and takes the last record
    # back.
    db.execute("PRAGMA synchronous = EXTRA")
    return db


def schema(db):
    return db.execute("PRAGMA user_version").fetchone()[0]


TO_SCHEMA = {
    1: """
        CREATE TABLE usage (number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, machines INTEGER NOT NULL);
    """,
    2: """
        CREATE TABLE usage_2 (number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL,
                              product TEXT NOT NULL, units INTEGER NOT NULL);
        INSERT INTO usage_2 SELECT number, at, 'vm', machines FROM usage;
        DROP TABLE usage;
        ALTER TABLE usage_2 RENAME TO usage;
        CREATE TABLE report (hour INTEGER PRIMARY KEY, records INTEGER NOT NULL);
    """,
}


def migrate(db, wanted):
    """Brings the store to the wanted schema in one transaction: a crash leaves the old one or the new one."""
    db.execute("BEGIN IMMEDIATE")
    for step in range(schema(db) + 1, wanted + 1):
        for statement in TO_SCHEMA[step].split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {step}")
    db.execute("COMMIT")


def record(db, machines):
    """Stores one record and returns its number once it is on the disk."""
    if schema(db) == 1:
        statement = "INSERT INTO usage (at, machines) VALUES (?, ?)"
    else:
        statement = "INSERT INTO usage (at, product, units) VALUES (?, 'vm', ?)"
    return db.execute(statement, (time.time(), machines)).lastrowid


def report(db):
    """Counts the records of each hour."""
    db.execute("INSERT OR REPLACE INTO report SELECT CAST(at / 3600 AS INTEGER), COUNT(*) FROM usage GROUP BY 1")


if __name__ == "__main__":
    if sys.argv[1:] != ["migrate"]:
        sys.exit("usage: store.py migrate")
    migrate(connect(), int(release()["SCHEMA"]))
