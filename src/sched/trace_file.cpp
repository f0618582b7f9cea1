// A trace as JSON in Chrome's trace-event format: a process for each runtime, a thread for each processor and host.
#include <cerrno>

#include "src/debug/symbols.hpp"
#include "src/debug/text.hpp"
#include "src/sched/inspect.hpp"
#include "src/sched/trace_record.hpp"

namespace rove::sched {
namespace {

constexpr unsigned thread_process = 999'999;  // plain threads stand under this one

class writer {
 public:
  writer(const trace_copy& all, std::FILE* file) : all_(all), file_(file) {}
  int write();

 private:
  void put(std::string_view text) { out_ += text; }
  void put(std::uint64_t n) { debug::put_number(out_, n); }
  void put_quoted(std::string_view text);
  void put_time(os::nanoseconds t);
  void begin(const char* phase, const trace_copy::part& on, std::string_view name, os::nanoseconds at);
  void end();
  void put_names(const trace_copy::part& of);
  void put_event(const trace_copy::part& on, const trace_event& e);
  void put_slice(const trace_copy::part& on, const trace_event& e);
  void put_arrow(const trace_copy::part& on, const trace_event& e, bool start);
  void put_instant(const trace_copy::part& on, const trace_event& e);
  static std::string_view end_text(const trace_event& e);
  std::string goroutine_text(const trace_event& e) const;
  const std::string& function_text(const void* function);

  const trace_copy& all_;
  std::FILE* file_;
  std::string out_;
  bool first_ = true;
  debug::symbolizer symbols_;
  std::map<const void*, std::string> functions_;
};

void writer::put_quoted(std::string_view text) {
  put("\"");
  while (!text.empty()) {
    const std::size_t good = debug::printable_prefix(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte == '"' || byte == '\\') put("\\");
    if (good != 0) {
      put(text.substr(0, good));
    } else {  // a byte that is no character stands for itself, as in Latin-1
      put(byte < 16 ? "\\u000" : "\\u00");
      debug::put_number(out_, byte, 16);
    }
    text.remove_prefix(good != 0 ? good : 1);
  }
  put("\"");
}

// Microseconds with three places, from the trace's beginning.
void writer::put_time(os::nanoseconds t) {
  const auto ns = static_cast<std::uint64_t>(t < 0 ? 0 : t);
  put(ns / 1000);
  char places[] = ".000";
  for (std::uint64_t i = 3, rest = ns % 1000; i > 0; --i, rest /= 10) places[i] = static_cast<char>('0' + rest % 10);
  put(places);
}

void writer::begin(const char* phase, const trace_copy::part& on, std::string_view name, os::nanoseconds at) {
  put(first_ ? "\n{\"ph\":\"" : ",\n{\"ph\":\"");
  first_ = false;
  put(phase);
  put("\",\"pid\":");
  put(on.place.runtime == 0 ? thread_process : on.place.runtime);
  put(",\"tid\":");
  put(on.place.runtime == 0 ? on.place.number : on.place.runtime * std::uint64_t{10'000} + on.place.number);
  put(",\"ts\":");
  put_time(at - all_.start);
  put(",\"name\":");
  put_quoted(name);
}

void writer::end() {
  put("}");
  if (out_.size() < 60'000) return;
  std::fwrite(out_.data(), 1, out_.size(), file_);
  out_.clear();
}

void writer::put_names(const trace_copy::part& of) {
  begin("M", of, "process_name", all_.start);
  put(",\"args\":{\"name\":\"");
  put(of.place.runtime == 0 ? "plain threads" : "runtime ");
  if (of.place.runtime != 0) put(of.place.runtime);
  put("\"}");
  end();
  begin("M", of, "thread_name", all_.start);
  put(",\"args\":{\"name\":");
  put_quoted(of.place.name);
  put("}");
  end();
  begin("M", of, "thread_sort_index", all_.start);
  put(",\"args\":{\"sort_index\":");
  put(of.place.number);
  put("}");
  end();
}

std::string_view writer::end_text(const trace_event& e) {
  switch (e.left_to) {
    case slice_end::yield: return "yield";
    case slice_end::park: return status_text(goroutine_state::waiting, e.reason);
    case slice_end::blocking: return "syscall";
    case slice_end::move: return "switch_to";
    default: return "ended";
  }
}

std::string writer::goroutine_text(const trace_event& e) const {
  if (e.name != 0 && e.name < all_.names.size()) return all_.names[e.name];
  std::string text = "goroutine ";
  debug::put_number(text, e.id);
  return text;
}

const std::string& writer::function_text(const void* function) {
  const auto [known, fresh] = functions_.try_emplace(function);
  if (fresh) known->second = symbols_.find(static_cast<const char*>(function) + 1).function;
  return known->second;
}

void writer::put_slice(const trace_copy::part& on, const trace_event& e) {
  begin("X", on, goroutine_text(e), e.begin);
  put(",\"cat\":\"goroutine\",\"dur\":");
  put_time(e.end - e.begin);
  put(",\"args\":{\"id\":");
  put(e.id);
  put(",\"function\":");
  put_quoted(function_text(e.function));
  if (e.left_to != slice_end::open) {
    put(",\"then\":");
    put_quoted(end_text(e));
  }
  put("}");
  end();
  if (e.flow != 0) put_arrow(on, e, false);
}

// From who woke it to where it went on. Where no slice is (a timer, a socket, a plain thread) it gets a short one.
void writer::put_arrow(const trace_copy::part& on, const trace_event& e, bool start) {
  const std::string_view name = e.kind == trace_kind::start ? "go" : "wake";
  if (start && !e.in_slice) {
    begin("X", on, name, e.begin);
    put(",\"cat\":\"wake\",\"dur\":0.010,\"args\":{\"id\":");
    put(e.id);
    put("}");
    end();
  }
  begin(start ? "s" : "f", on, "wake", e.begin);
  put(",\"cat\":\"wake\",\"id\":");
  put(e.flow);
  if (!start) put(",\"bp\":\"e\"");
  end();
}

void writer::put_instant(const trace_copy::part& on, const trace_event& e) {
  const bool steal = e.kind == trace_kind::steal, poll = e.kind == trace_kind::poll;
  begin("i", on, steal ? "steal" : poll ? "poll" : "syscall", e.begin);
  put(",\"s\":\"t\",\"args\":{\"");
  put(steal ? "goroutines" : poll ? "ready" : "id");
  put("\":");
  put(e.id);
  put("}");
  end();
}

void writer::put_event(const trace_copy::part& on, const trace_event& e) {
  switch (e.kind) {
    case trace_kind::slice: return put_slice(on, e);
    case trace_kind::wake:
    case trace_kind::start: return put_arrow(on, e, true);
    default: return put_instant(on, e);
  }
}

int writer::write() {
  put("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"lost events\":\"");
  put(all_.lost);
  put("\"},\"traceEvents\":[");
  for (const trace_copy::part& p : all_.parts) {
    if (p.events.empty()) continue;
    put_names(p);
    for (const trace_event& e : p.events) put_event(p, e);
  }
  put("\n]}\n");
  std::fwrite(out_.data(), 1, out_.size(), file_);
  return std::fflush(file_) == 0 && !std::ferror(file_) ? 0 : -EIO;
}

}  // namespace

int write_trace(const trace_copy& all, std::FILE* file) { return writer(all, file).write(); }

}  // namespace rove::sched
