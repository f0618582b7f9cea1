// File names as coreutils shows them: quoted as a shell would want them, if they hold anything odd.
#pragma once

#include <string>
#include <string_view>

namespace wc {

// The name as it is if a shell takes it for one plain word, else in quotes; control characters as $'\n'. C locale.
std::string as_shell_word(std::string_view name);

// In quotes whatever it is.
std::string in_quotes(std::string_view name);

}  // namespace wc
