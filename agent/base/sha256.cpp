#include "base/sha256.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"

#include <array>
#include <fcntl.h>

namespace um {

std::string hex(const unsigned char* bytes, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += fmt::format("{:02x}", bytes[i]);
    return text;
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
        throw SystemFailure("prepare SHA-256");
}

void Sha256::add(const char* data, std::size_t size) {
    if (EVP_DigestUpdate(context_.get(), data, size) != 1)
        throw SystemFailure("compute SHA-256");
}

std::string Sha256::end() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1)
        throw SystemFailure("compute SHA-256");
    return hex(digest.data(), size);
}

std::string sha256_of(const std::string& text) {
    Sha256 digest;
    digest.add(text.data(), text.size());
    return digest.end();
}

std::string sha256_of_file(const std::string& path) {
    constexpr std::size_t buffer_size = 1024UL * 1024;
    const auto fd = open_file(path, O_RDONLY | O_NOFOLLOW);
    Sha256 digest;
    std::string buffer(buffer_size, '\0');
    for (;;) {
        const auto got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw SystemFailure(fmt::format("read '{}'", path), errno);
        if (got == 0)
            return digest.end();
        digest.add(buffer.data(), static_cast<std::size_t>(got));
    }
}

} // namespace um
