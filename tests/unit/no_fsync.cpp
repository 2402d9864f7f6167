// Tests save the record hundreds of times, and no power is cut here, so nothing has to wait for the disk.

extern "C" int __wrap_fsync(int);
extern "C" int __wrap_fsync(int) {
    return 0;
}

unsigned writes_to_disk = 0; ///< for the tests of what is written through

extern "C" int __wrap_fdatasync(int);
extern "C" int __wrap_fdatasync(int) {
    ++writes_to_disk;
    return 0;
}
