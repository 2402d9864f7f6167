#include "checks/unhealthy.hpp"

#include <sstream>

namespace um {

Finding excuse(const std::string& subject, const Unhealthy& before, Finding finding) {
    if (!before.contains(subject))
        return finding;
    finding.severity = Finding::Severity::warning;
    finding.message += " (it was also unhealthy before the upgrade)";
    return finding;
}

std::string to_text(const Unhealthy& names) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : "|") + name;
    return text;
}

Unhealthy unhealthy_from(const std::string& text) {
    Unhealthy names;
    std::istringstream stream(text);
    for (std::string name; std::getline(stream, name, '|');)
        names.insert(name);
    return names;
}

} // namespace um
