// The tamper table: bytes of the files, and files of other releases.

#include "adapters/tampering.hpp"

#include <filesystem>

namespace um::test {
namespace {

/// Without the signer's key nobody can change what the manifest means.
constexpr auto not_signed = "signature.mismatch manifest.mismatch|manifest.malformed|manifest.no-entry?";
/// A byte of a certificate may decide between "no certificate" and "not by that issuer".
constexpr auto no_such_certificate =
    "certificate.malformed|certificate.untrusted|certificate.usage signature.mismatch?";

/// The media of another release, made like the first ones, with names and bytes of their own.
struct OtherRelease {
    explicit OtherRelease(Media& media) : like(media) {
        name = "Usage_Meter_Agent-4.8.0.0-31234567_Upgrade";
        iso = text_of(media.iso());
        iso.front() = static_cast<char>(iso.front() + 1);
        directory.file(name + ".iso", iso);
        const auto output = shell("cd '" + directory.path() + "' && sha1sum " + name + ".iso").output;
        manifest = output;
        crt = tamper_keys().pem("next-signer") + tamper_keys().pem("middle");
        sign = tamper_keys().sign("next-signer", manifest, "sha1");
    }
    /// Puts files of this release in place of the files of the case.
    void put(const std::string& extensions) const {
        for (const auto& [extension, text] : {std::pair{".iso", iso}, std::pair{".mf", manifest},
                                              std::pair{".crt", crt}, std::pair{".sign", sign}})
            if (extensions.find(extension) != std::string::npos)
                like.directory.file(like.stem + extension, text);
    }
    Media& like;
    Scratch directory;
    std::string name, iso, manifest, crt, sign;
};

std::function<void(Media&)> swapped(const std::string& extensions) {
    return [extensions](Media& media) { OtherRelease(media).put(extensions); };
}

std::function<void(Media&)> flipped(const std::string& extension, Where where) {
    return [extension, where](Media& media) { flip(media.path(extension), where); };
}

std::function<void(Media&)> written(const std::string& extension, const std::string& text) {
    return [extension, text](Media& media) { media.directory.file(media.stem + extension, text); };
}

std::function<void(Media&)> appended(const std::string& extension, const std::string& text) {
    return [extension, text](Media& media) { append(media.path(extension), text); };
}

std::function<void(Media&)> truncated(const std::string& extension, std::size_t bytes_less) {
    return [extension, bytes_less](Media& media) { truncate_file(media.path(extension), bytes_less); };
}

std::function<void(Media&)> removed(const std::string& extension) {
    return [extension](Media& media) { std::filesystem::remove(media.path(extension)); };
}

const std::string too_much = [] { // longer than a sidecar may be
    std::string text;
    while (text.size() <= 1024UL * 1024)
        text += "# " + std::string(60, '.') + "\n";
    return text;
}();
const auto reads_no_further = blind("openssl dgst reads no more of the file than a signature has");

std::vector<TamperCase> bytes() {
    return {
        {"The first bit of the ISO is flipped", flipped(".iso", Where::start), "manifest.mismatch"},
        {"A bit in the middle of the ISO is flipped", flipped(".iso", Where::middle), "manifest.mismatch"},
        {"The last bit of the ISO is flipped", flipped(".iso", Where::end), "manifest.mismatch"},
        {"The first bit of the manifest is flipped", flipped(".mf", Where::start), not_signed},
        {"A bit in the middle of the manifest is flipped", flipped(".mf", Where::middle), not_signed},
        {"The last digit of the manifest is another", flipped(".mf", Where::end), not_signed},
        {"The first bit of the certificate is flipped", flipped(".crt", Where::start), no_such_certificate},
        {"A bit in the middle of the certificates is flipped", flipped(".crt", Where::middle),
         no_such_certificate},
        {"The end of the last certificate is damaged", flipped(".crt", Where::end), no_such_certificate},
        {"The line feed after the last certificate is another blank",
         [](Media& media) {
             truncate_file(media.path(".crt"), 1);
             append(media.path(".crt"), "\v");
         },
         "",
         {},
         "digest.weak"},
        {"A bit of the intermediate is flipped",
         [](Media& media) {
             media.bundle({"middle"});
             flip(media.path(".crt"), Where::middle);
             media.directory.file(media.stem + ".crt",
                                  tamper_keys().pem("signer") + text_of(media.path(".crt")));
         },
         no_such_certificate},
        {"A bit of the signer's own certificate is flipped",
         [](Media& media) {
             media.bundle({"signer"});
             flip(media.path(".crt"), Where::middle);
             append(media.path(".crt"), tamper_keys().pem("middle"));
         },
         no_such_certificate},
        {"The first bit of the signature is flipped", flipped(".sign", Where::start), "signature.mismatch"},
        {"A bit in the middle of the signature is flipped", flipped(".sign", Where::middle),
         "signature.mismatch"},
        {"The last bit of the signature is flipped", flipped(".sign", Where::end), "signature.mismatch"},
    };
}

std::vector<TamperCase> lengths() {
    return {
        {"The ISO is a byte too short", truncated(".iso", 1), "manifest.mismatch"},
        {"The ISO is cut in half", truncated(".iso", 650'000), "manifest.mismatch"},
        {"The ISO is a byte too long", appended(".iso", "x"), "manifest.mismatch"},
        {"The ISO is a sector of zeros too long", appended(".iso", std::string(2048, '\0')),
         "manifest.mismatch"},
        {"The ISO is empty", written(".iso", ""), "manifest.mismatch"},
        {"The manifest is cut short", truncated(".mf", 10), not_signed},
        {"The manifest has a line more", appended(".mf", "SHA1(x)= " + std::string(40, 'a') + "\n"),
         "signature.mismatch"},
        {"The manifest has a comment more", appended(".mf", "# genuine\n"), "signature.mismatch"},
        {"The manifest is empty", written(".mf", ""), "signature.mismatch manifest.no-entry"},
        {"The certificate is cut short", truncated(".crt", 100), no_such_certificate},
        {"The certificate is followed by half of another",
         [](Media& media) { append(media.path(".crt"), tamper_keys().pem("middle").substr(0, 500)); },
         "certificate.malformed", blind("openssl verify leaves out what it cannot read")},
        {"The certificate is empty", written(".crt", ""), "certificate.malformed"},
        {"The signature is a byte too short", truncated(".sign", 1), "signature.malformed"},
        {"The signature is four bytes too long", appended(".sign", "more"), "signature.malformed",
         reads_no_further},
        {"The signature is empty", written(".sign", ""), "signature.malformed"},
        {"The manifest is huge", [](Media& media) { media.manifest(too_much + media.tagged("SHA1")); },
         "media.unreadable", blind("they read on")},
        {"The certificate is huge", appended(".crt", too_much), "media.unreadable",
         silent("openssl verify takes a quarter of a minute to pass over such a file")},
        {"The signature is huge", appended(".sign", too_much), "media.unreadable", reads_no_further},
        {"The manifest is the largest that is read, and holds one entry",
         [](Media& media) {
             const auto entry = media.tagged("SHA1");
             media.manifest(std::string(1024UL * 1024 - entry.size() - 1, '#') + "\n" + entry);
         },
         "",
         {},
         "digest.weak"},
    };
}

std::vector<TamperCase> swaps() {
    return {
        {"The ISO is another release's", swapped(".iso"), "manifest.mismatch"},
        {"The manifest is another release's", swapped(".mf"), "signature.mismatch manifest.no-entry"},
        {"The certificate is another release's", swapped(".crt"), "signature.mismatch"},
        {"The signature is another release's", swapped(".sign"), "signature.mismatch"},
        {"The manifest and its signature are another release's", swapped(".mf .sign"),
         "signature.mismatch manifest.no-entry"},
        {"All sidecars are another release's", swapped(".mf .crt .sign"), "manifest.no-entry"},
        {"All sidecars and the ISO are another release's, and were renamed", swapped(".iso .mf .crt .sign"),
         "manifest.no-entry"},
        {"The sidecars are those of an earlier build of the same name",
         [](Media& media) {
             const auto iso = text_of(media.iso());
             media.directory.file(media.stem + ".iso", "the earlier build");
             media.manifest(media.tagged("SHA1"));
             media.directory.file(media.stem + ".iso", iso);
         },
         "manifest.mismatch"},
        {"The manifest and the signature stand in each other's place",
         [](Media& media) {
             const auto manifest = text_of(media.path(".mf"));
             media.directory.file(media.stem + ".mf", text_of(media.path(".sign")));
             media.directory.file(media.stem + ".sign", manifest);
         },
         "signature.malformed manifest.malformed|manifest.no-entry"},
        {"The certificate stands where the signature belongs",
         [](Media& media) { media.directory.file(media.stem + ".sign", text_of(media.path(".crt"))); },
         "signature.malformed"},
        {"The manifest stands where the certificate belongs",
         [](Media& media) { media.directory.file(media.stem + ".crt", text_of(media.path(".mf"))); },
         "certificate.malformed"},
        {"The manifest is missing", removed(".mf"), "media.sidecar-missing"},
        {"The certificate is missing", removed(".crt"), "media.sidecar-missing"},
        {"The signature is missing", removed(".sign"), "media.sidecar-missing"},
        {"The ISO is missing", removed(".iso"), "media.none"},
        {"There are two ISOs",
         [](Media& media) {
             std::filesystem::copy_file(media.iso(),
                                        media.directory / "Usage_Meter_Agent-4.8.0.0-1_Upgrade.iso");
         },
         "media.ambiguous", blind("they are asked about one of them")},
        {"The ISO and its sidecars were renamed",
         [](Media& media) {
             for (const auto* extension : {".iso", ".mf", ".crt", ".sign"})
                 std::filesystem::rename(
                     media.path(extension),
                     media.directory / ("Usage_Meter_Agent-9.9.9.9-1_Upgrade" + std::string(extension)));
         },
         "manifest.no-entry", silent("they are asked by file name")},
        {"The ISO is named like no upgrade",
         [](Media& media) { std::filesystem::rename(media.iso(), media.directory / "upgrade.iso"); },
         "media.name"},
    };
}

} // namespace

std::vector<TamperCase> content_cases() {
    std::vector<TamperCase> table;
    for (const auto part : {bytes, lengths, swaps})
        for (auto& tampered : part())
            table.push_back(std::move(tampered));
    return table;
}

} // namespace um::test
