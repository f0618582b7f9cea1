-- Makes wrk end with one line that report.py reads: requests a second, p50, p99, p99.9 in microseconds, errors.
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("report %.0f %.1f %.1f %.1f %d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    e.connect + e.read + e.write + e.status + e.timeout))
end
