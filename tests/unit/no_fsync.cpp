// Tests save the record hundreds of times, and no power is cut here, so nothing has to wait for the disk.

extern "C" int __wrap_fsync(int);
extern "C" int __wrap_fsync(int) {
    return 0;
}
