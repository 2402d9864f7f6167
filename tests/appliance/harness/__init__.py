"""Builds the appliance, runs it under QEMU, and looks at it."""
