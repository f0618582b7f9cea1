// Setting the host's hooks.
#include "src/os/hooks.hpp"

namespace rove {

void set_thread_hook(thread_hook hook, void* data) { os::on_thread.set(hook, data); }
void set_memory_hook(memory_hook hook, void* data) { os::on_memory.set(hook, data); }

}  // namespace rove
