#pragma once

#include "ports/journal.hpp"

namespace um {

/// Speaks journald's native protocol, and uses the notification socket of the service manager.
class SystemdJournal final : public Journal {
public:
    void entry(const Fields& fields) noexcept override;
    std::optional<std::string> find_in_this_boot(const std::string& text,
                                                 const std::vector<std::string>& units) override;
    void status(const std::string& text) noexcept override;

private:
    std::string last_status_;
};

} // namespace um
