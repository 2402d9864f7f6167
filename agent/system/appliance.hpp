#pragma once

#include "ports/appliance.hpp"

namespace um {

/// The Linux machine that the agent runs on.
class LinuxAppliance final : public Appliance {
public:
    CommandResult run(const std::vector<std::string>& command, const std::string& user,
                      std::chrono::seconds limit) override;
    bool directory_exists(const std::string& path) override;
    bool is_plain_file(const std::string& path) override;
    bool program_exists(const std::string& name) override;
    std::vector<AdminCheck> admin_checks(const std::string& directory) override;
    Space space(const std::string& path) override;
    std::string boot_id() override;
    void sync() override;
    void flush_journal() noexcept override;
    std::optional<std::uint64_t> file_size(const std::string& path) override;
    std::vector<LogFile> files_below(const std::string& directory) override;
    bool file_holds(const std::string& path, std::uint64_t from, std::uint64_t to,
                    const std::string& text) override;
    std::vector<std::string> host_names() override;
    std::string kernel_release() override;
    std::optional<std::string> lock_holder(const std::string& path) override;
    std::chrono::system_clock::time_point now() override;
    std::chrono::microseconds uptime() override;
    void sleep(std::chrono::milliseconds time) override;
    std::string new_id() override;
    std::string operator_name() override;
};

} // namespace um
