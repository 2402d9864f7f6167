// The story saves its record hundreds of times here, and no power is cut: nothing waits for the disk.

extern "C" int __wrap_fsync(int);
extern "C" int __wrap_fsync(int) {
    return 0;
}
