#include "procedure/other_media.hpp"

namespace um {

Failure other_media(const Job& job, const std::string& found) {
    return {Reason::media_changed,
            fmt::format("the change was begun with {} and was cut off; what is here now is {}",
                        job.state.media, found),
            "put those media in place again"};
}

} // namespace um
