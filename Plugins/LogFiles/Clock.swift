import Glibc

/// The time of day.
public enum Clock {
  /// Seconds since 1970, to the millisecond.
  public static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return (Double(time.tv_sec) * 1000 + Double(time.tv_nsec / 1_000_000)) / 1000
  }
}
