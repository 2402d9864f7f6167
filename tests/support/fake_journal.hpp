#pragma once
// A journal that keeps its entries for the tests.

#include "ports/ports.hpp"

#include <functional>

namespace um::test {

class FakeJournal final : public Journal {
public:
    void entry(const Fields& fields) noexcept override {
        entries.push_back(fields);
        on_entry(fields);
    }
    void status(const std::string& text) noexcept override { statuses.push_back(text); }
    std::optional<std::string> find_in_this_boot(const std::string& text,
                                                 const std::vector<std::string>&) override {
        if (broken)
            throw SystemFailure("open the journal", EIO);
        for (const auto& message : others)
            if (message.find(text) != std::string::npos)
                return message;
        return std::nullopt;
    }

    std::vector<Fields> entries;
    std::function<void(const Fields&)> on_entry = [](const Fields&) {};
    std::vector<std::string> statuses;
    bool broken = false;             ///< it cannot be read
    std::vector<std::string> others; ///< messages that others than the agent wrote in this boot
};

/// The value of the field. Empty if the entry has none.
inline std::string field(const Fields& fields, const std::string& name) {
    for (const auto& [key, value] : fields)
        if (key == name)
            return value;
    return {};
}

} // namespace um::test
