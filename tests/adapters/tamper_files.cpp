// The tamper table: kinds of files, who may write to them, and files that change while the agent looks at
// them.

#include "adapters/tampering.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace um::test {
namespace {

namespace fs = std::filesystem;

const auto follows = blind("they follow links");
const auto looks_at_no_mode = blind("they look at no owner and at no mode");
const auto would_wait = silent("they would wait for somebody to write into it");
const auto runs_later = silent("what they read is what was there before or after");

std::function<void(Media&)> linked(const std::string& extension) {
    return [extension](Media& media) {
        fs::rename(media.path(extension), media.directory / "elsewhere");
        fs::create_symlink("elsewhere", media.path(extension));
    };
}

std::function<void(Media&)> piped(const std::string& extension) {
    return [extension](Media& media) {
        fs::remove(media.path(extension));
        EXPECT_EQ(::mkfifo(media.path(extension).c_str(), 0600), 0);
    };
}

std::function<void(Media&)> directory_instead(const std::string& extension) {
    return [extension](Media& media) {
        fs::remove(media.path(extension));
        fs::create_directory(media.path(extension));
    };
}

std::function<void(Media&)> device_instead(const std::string& extension, mode_t kind, dev_t device) {
    return [=](Media& media) {
        fs::remove(media.path(extension));
        EXPECT_EQ(::mknod(media.path(extension).c_str(), kind | 0600, device), 0);
    };
}

std::function<void(Media&)> mode(const std::string& extension, mode_t bits) {
    return [extension, bits](Media& media) { EXPECT_EQ(::chmod(media.path(extension).c_str(), bits), 0); };
}

std::function<void(Media&)> owner(const std::string& extension) {
    return [extension](Media& media) { EXPECT_EQ(::chown(media.path(extension).c_str(), 65534, 65534), 0); };
}

/// Moves the media to `below`, in the directory of the case.
void move_below(Media& media, const std::string& below) {
    fs::create_directories(media.directory / below);
    for (const auto* extension : {".iso", ".mf", ".crt", ".sign"})
        fs::rename(media.path(extension), media.directory / below + "/" + media.stem + extension);
    media.config.media.search = {media.directory / below + "/*.iso"};
}

std::vector<TamperCase> kinds() {
    const auto null = makedev(1, 3);
    const auto loop = makedev(7, 0);
    return {
        {"The ISO is a symbolic link", linked(".iso"), "media.insecure", follows},
        {"The manifest is a symbolic link", linked(".mf"), "media.insecure", follows},
        {"The certificate is a symbolic link", linked(".crt"), "media.insecure", follows},
        {"The signature is a symbolic link", linked(".sign"), "media.insecure", follows},
        {"The ISO is a symbolic link to nowhere",
         [](Media& media) {
             fs::remove(media.iso());
             fs::create_symlink("/nowhere", media.iso());
         },
         "media.insecure|media.none"},
        {"The ISO is a FIFO", piped(".iso"), "media.insecure", would_wait},
        {"The manifest is a FIFO", piped(".mf"), "media.insecure", would_wait},
        {"The certificate is a FIFO", piped(".crt"), "media.insecure", would_wait},
        {"The signature is a FIFO", piped(".sign"), "media.insecure", would_wait},
        {"The ISO is a directory", directory_instead(".iso"), "media.insecure"},
        {"The manifest is a directory", directory_instead(".mf"), "media.insecure"},
        {"The certificate is a directory", directory_instead(".crt"), "media.insecure"},
        {"The signature is a directory", directory_instead(".sign"), "media.insecure"},
        {"The ISO is a character device", device_instead(".iso", S_IFCHR, null), "media.insecure"},
        {"The ISO is a block device", device_instead(".iso", S_IFBLK, loop), "media.insecure|media.none"},
        {"The manifest is a device", device_instead(".mf", S_IFCHR, null), "media.insecure"},
        {"The signature is a device", device_instead(".sign", S_IFCHR, null), "media.insecure"},
    };
}

std::vector<TamperCase> writers() {
    return {
        {"The ISO may be written by its group", mode(".iso", 0660), "media.insecure", looks_at_no_mode},
        {"The ISO may be written by everybody", mode(".iso", 0602), "media.insecure", looks_at_no_mode},
        {"The manifest may be written by everybody", mode(".mf", 0666), "media.insecure", looks_at_no_mode},
        {"The certificate may be written by its group", mode(".crt", 0664), "media.insecure",
         looks_at_no_mode},
        {"The signature may be written by everybody", mode(".sign", 0622), "media.insecure",
         looks_at_no_mode},
        {"The ISO is another user's", owner(".iso"), "media.insecure", looks_at_no_mode},
        {"The manifest is another user's", owner(".mf"), "media.insecure", looks_at_no_mode},
        {"The certificate is another user's", owner(".crt"), "media.insecure", looks_at_no_mode},
        {"The signature is another user's", owner(".sign"), "media.insecure", looks_at_no_mode},
        {"The media's directory may be written by everybody",
         [](Media& media) { ::chmod(media.directory.path().c_str(), 0777); }, "media.insecure",
         looks_at_no_mode},
        {"The media's directory is sticky, and may be written by everybody",
         [](Media& media) { ::chmod(media.directory.path().c_str(), 01777); }, "media.insecure",
         looks_at_no_mode},
        {"The media's directory may be written by its group",
         [](Media& media) { ::chmod(media.directory.path().c_str(), 0770); }, "media.insecure",
         looks_at_no_mode},
        {"The media's directory is another user's",
         [](Media& media) { EXPECT_EQ(::chown(media.directory.path().c_str(), 65534, 0), 0); },
         "media.insecure", looks_at_no_mode},
        {"A directory above the media may be written by everybody",
         [](Media& media) {
             move_below(media, "open/private");
             ::chmod((media.directory / "open").c_str(), 0777);
         },
         "media.insecure", silent("they are asked in one directory")},
        {"A directory above the media is a symbolic link",
         [](Media& media) {
             move_below(media, "real/media");
             fs::create_directory_symlink("real", media.directory / "link");
             media.config.media.search = {media.directory / "link/media/*.iso"};
         },
         "media.insecure", silent("they are asked in one directory")},
        {"The media stand two directories further below",
         [](Media& media) { move_below(media, "some/where"); }, "", silent("they are asked in one directory"),
         "digest.weak"},
        {"The media may be read by everybody",
         [](Media& media) {
             ::chmod(media.directory.path().c_str(), 0755);
             for (const auto* extension : {".iso", ".mf", ".crt", ".sign"})
                 ::chmod(media.path(extension).c_str(), 0644);
         },
         "",
         {},
         "digest.weak"},
        {"Somebody has the ISO open for writing", [](Media& media) { media.hold(media.iso(), O_WRONLY); },
         "media.insecure", looks_at_no_mode},
        {"Somebody has the ISO in memory for writing",
         [](Media& media) {
             const Fd file(::open(media.iso().c_str(), O_RDWR | O_CLOEXEC));
             auto* bytes = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
             EXPECT_NE(bytes, MAP_FAILED);
             media.in_the_end = [bytes] { ::munmap(bytes, 4096); };
         },
         "media.insecure", looks_at_no_mode},
        {"Somebody has the manifest open for writing",
         [](Media& media) { media.hold(media.path(".mf"), O_RDWR); }, "media.insecure", looks_at_no_mode},
        {"Somebody has the signature open for writing",
         [](Media& media) { media.hold(media.path(".sign"), O_WRONLY); }, "media.insecure", looks_at_no_mode},
        {"The ISO has another name, too",
         [](Media& media) { fs::create_hard_link(media.iso(), media.directory / "other"); },
         "",
         {},
         "digest.weak"},
        {"Somebody else reads the ISO",
         [](Media& media) { media.hold(media.iso(), O_RDONLY); },
         "",
         {},
         "digest.weak"},
    };
}

std::function<void(Media&)> during(const std::string& command) {
    return [command](Media& media) { media.during = [&media, command] { media.meanwhile(command); }; };
}

std::function<void(Media&)> after(const std::string& command) {
    return [command](Media& media) { media.after = [&media, command] { media.meanwhile(command); }; };
}

std::function<void(Media&)> at_mount(const std::string& command) {
    return [command](Media& media) { media.at_mount = [&media, command] { media.meanwhile(command); }; };
}

std::vector<TamperCase> changes() {
    const std::string keep_time = "touch -r *.iso stamp && ";
    const std::string restore_time = " && touch -r stamp *.iso";
    const std::string first_byte = "printf x | dd of=$(echo *.iso) conv=notrunc status=none";
    const std::string replace = "cp *.iso new && printf x >> new && mv new *.iso";
    const std::string twin = "cp --preserve=all *.iso new && mv new *.iso";
    return {
        {"The ISO is rewritten during the digest", during(first_byte), "media.changed", runs_later},
        {"The ISO is rewritten during the digest, and its time set back",
         during(keep_time + first_byte + restore_time), "media.changed", runs_later},
        {"The ISO is rewritten during the digest and restored",
         during("cp --preserve=all *.iso old && " + first_byte + " && cat old > $(echo *.iso)" +
                " && touch -r old *.iso && rm old"),
         "media.changed", runs_later},
        {"The ISO is replaced during the digest", during(replace), "media.changed", runs_later},
        {"The ISO is replaced by its twin during the digest", during(twin), "media.changed", runs_later},
        {"The ISO is renamed during the digest", during("mv *.iso other"), "media.changed", runs_later},
        {"The ISO is removed during the digest", during("rm *.iso"), "media.changed", runs_later},
        {"The ISO is cut short during the digest",
         during("dd if=/dev/null of=$(echo *.iso) bs=1000 seek=600 status=none"),
         "media.changed manifest.mismatch?", runs_later},
        {"The ISO is emptied during the digest", during(": > $(echo *.iso)"),
         "media.changed manifest.mismatch?", runs_later},
        {"The ISO grows during the digest", during("printf x >> $(echo *.iso)"), "media.changed", runs_later},
        {"The ISO's mode changes during the digest", during("chmod 0666 *.iso"), "media.changed", runs_later},
        {"The ISO is opened for writing during the digest", during("exec 3<> $(echo *.iso)"), "media.changed",
         runs_later},
        {"The ISO is rewritten after the digest", after(first_byte), "media.changed", runs_later},
        {"The ISO is rewritten after the digest, and its time set back",
         after(keep_time + first_byte + restore_time), "media.changed", runs_later},
        {"The ISO is replaced after the digest", after(replace), "media.changed", runs_later},
        {"The ISO is replaced by its twin after the digest", after(twin), "media.changed", runs_later},
        {"The ISO is removed after the digest", after("rm *.iso"), "media.changed", runs_later},
        {"The ISO grows after the digest", after("printf x >> $(echo *.iso)"), "media.changed", runs_later},
        {"The ISO is rewritten while it is being mounted", at_mount(first_byte), "media.changed", runs_later},
        {"The ISO is replaced while it is being mounted", at_mount(replace), "media.changed", runs_later},
        {"The media's directory is exchanged during the digest, but not what was opened",
         [](Media& media) {
             move_below(media, "below");
             media.during = [&media] {
                 media.meanwhile("mv below away && mkdir below && for file in away/*; do "
                                 "echo forged > below/${file#*/}; done");
             };
         },
         "", runs_later, "digest.weak"},
        {"The sidecars are emptied after they were read",
         after("for file in *.mf *.crt *.sign; do : > $file; done"), "", runs_later, "digest.weak"},
    };
}

} // namespace

std::vector<TamperCase> file_cases() {
    std::vector<TamperCase> table;
    for (const auto part : {kinds, writers, changes})
        for (auto& tampered : part())
            table.push_back(std::move(tampered));
    return table;
}

} // namespace um::test
