#include "support/scratch.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/wait.h>

namespace um::test {

Scratch::Scratch(const std::string& base)
    : path_((base.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(base)) /
            "um-test-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr)
        throw std::runtime_error("mkdtemp " + path_);
}

Scratch::~Scratch() {
    std::error_code error; // ignoring: a directory that is left behind fails no test
    std::filesystem::remove_all(path_, error);
}

std::string Scratch::file(const std::string& name, const std::string& text) const {
    const auto path = *this / name;
    std::ofstream(path, std::ios::binary) << text;
    ::chmod(path.c_str(), 0600);
    return path;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file)
        throw std::runtime_error("read " + path);
    return text.str();
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::string journal_stream(int fd) {
    struct stat status {};
    ::fstat(fd, &status);
    return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

std::size_t open_descriptors() {
    return names_in("/proc/self/fd").size();
}

ShellResult shell(const std::string& command) {
    ShellResult result;
    auto* pipe = ::popen(("{ " + command + "\n} 2>&1").c_str(), "re");
    if (pipe == nullptr)
        throw std::runtime_error("popen " + command);
    char buffer[4096];
    for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
        result.output.append(buffer, got);
    const int status = ::pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

} // namespace um::test
