#include "upgrade/job.hpp"

namespace um {

const Content& content_of(Job& job) {
    if (!job.content)
        job.content = read_content(job.ports, job.config);
    return *job.content;
}

const std::vector<OfferedPackage>& offered_by(Job& job) {
    if (!job.offered)
        job.offered = read_offered(job.ports.appliance, content_of(job).package_files);
    return *job.offered;
}

void add_note(Job& job, const std::string& text) {
    job.note += (job.note.empty() ? "" : "; ") + text;
}

std::optional<bool> ask(Job& job, const std::string& question) {
    return job.may_ask ? job.console.ask(question) : std::nullopt;
}

std::string package_list(const Job& job) {
    return job.store.directory() + "/packages.list";
}

std::string earlier_package_list(const Job& job) {
    return job.store.directory() + "/before.list";
}

std::string staying_package_list(const Job& job) {
    return job.store.directory() + "/staying.list";
}

std::string initramfs_list(const Job& job) {
    return job.store.directory() + "/initramfs.list";
}

std::string fresh_package_list(const Job& job) {
    return job.store.directory() + "/fresh.list";
}

std::string log_marks(const Job& job) {
    return job.store.directory() + "/logs.list";
}

} // namespace um
