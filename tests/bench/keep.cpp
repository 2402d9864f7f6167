// Keeps files as the agent keeps those of packages, with the agent's own adapter. tests/bench/rollback
// measures it.

#include "system/keeping/file_keeper.hpp"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

using namespace um;

namespace {

/// Reads lines of "SIZE MODIFIED SHA256 PATH", with the facts that rpm's database would have.
std::vector<PackagedFile> packaged_files(const char* list) {
    std::vector<PackagedFile> files;
    std::ifstream stream(list);
    for (std::string line; std::getline(stream, line);) {
        std::istringstream words(line);
        PackagedFile file;
        words >> file.size >> file.modified >> file.sha256 >> std::ws;
        std::getline(words, file.path);
        files.push_back(file);
    }
    return files;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: bench_keep STATE_DIRECTORY LIST\n");
        return 2;
    }
    try {
        FileKeeper keeper(argv[1]);
        KeepScope scope;
        scope.packaged = packaged_files(argv[2]);
        const auto begin = std::chrono::steady_clock::now();
        const auto cost = keeper.keep("bench", scope, [](const auto& copy_data) { copy_data(); });
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        std::printf("%.6f %llu %llu\n", took.count(), static_cast<unsigned long long>(cost.links),
                    static_cast<unsigned long long>(cost.copies));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_keep: %s\n", error.what());
        return 1;
    }
}
