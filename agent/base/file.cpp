#include "base/file.hpp"

#include "base/failure.hpp"

#include <array>
#include <fcntl.h>
#include <sys/stat.h>

namespace um {
namespace {

std::string parent(const std::string& path) {
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

void sync_descriptor(int fd, const std::string& name) {
    if (::fsync(fd) < 0)
        throw SystemFailure(fmt::format("fsync '{}'", name), errno);
}

} // namespace

std::string read_all(int fd, std::size_t limit, const std::string& name) {
    std::string text;
    std::array<char, 16384> buffer{};
    for (;;) {
        const auto got = ::read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw SystemFailure(fmt::format("read '{}'", name), errno);
        if (got == 0)
            return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > limit)
            throw SystemFailure(fmt::format("read '{}'", name), EFBIG);
    }
}

std::optional<std::string> read_file_if_there(const std::string& path, std::size_t limit) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd && errno == ENOENT)
        return std::nullopt;
    if (!fd)
        throw SystemFailure(fmt::format("open '{}'", path), errno);
    return read_all(fd.get(), limit, path);
}

void write_all(int fd, const std::string& text, const std::string& name) {
    for (std::size_t done = 0; done < text.size();) {
        const auto wrote = ::write(fd, text.data() + done, text.size() - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            throw SystemFailure(fmt::format("write '{}'", name), errno);
        done += static_cast<std::size_t>(wrote);
    }
}

void replace_file(const std::string& path, const std::string& text) {
    const auto directory = parent(path);
    make_directories(directory, 0700);
    const auto temporary = path + ".new";
    {
        const auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
        write_all(fd.get(), text, temporary);
        sync_descriptor(fd.get(), temporary);
    }
    rename_durably(temporary, path);
}

void rename_durably(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) < 0)
        throw SystemFailure(fmt::format("rename '{}' to '{}'", from, to), errno);
    const auto target = parent(to);
    sync_descriptor(open_file(target, O_RDONLY | O_DIRECTORY).get(), target);
    if (const auto source = parent(from); source != target)
        sync_descriptor(open_file(source, O_RDONLY | O_DIRECTORY).get(), source);
}

void remove_file_durably(const std::string& path) {
    if (::unlink(path.c_str()) < 0) {
        if (errno == ENOENT)
            return;
        throw SystemFailure(fmt::format("unlink '{}'", path), errno);
    }
    sync_descriptor(open_file(parent(path), O_RDONLY | O_DIRECTORY).get(), parent(path));
}

void make_directories(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST)
        return;
    if (errno != ENOENT || path == parent(path))
        throw SystemFailure(fmt::format("mkdir '{}'", path), errno);
    make_directories(parent(path), 0755);
    if (::mkdir(path.c_str(), mode) < 0 && errno != EEXIST)
        throw SystemFailure(fmt::format("mkdir '{}'", path), errno);
}

Fd open_file(const std::string& path, int flags, mode_t mode) {
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, mode));
    if (!fd)
        throw SystemFailure(fmt::format("open '{}'", path), errno);
    return fd;
}

} // namespace um
