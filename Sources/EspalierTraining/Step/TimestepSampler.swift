/// Draws training timesteps with more weight on high noise.
///
/// Source: the reference script, "Cubic sampling to sample a random timestep for each image".
public enum TimestepSampler {
  /// `floor((1 − u³)·count)`, at most `count − 1`, in f32 as the reference computes it.
  ///
  /// - Parameter uniform: In [0, 1).
  public static func cubic(_ uniform: Float, count: Int) -> Int {
    let cubed = uniform * uniform * uniform
    return min(max(Int((1 - cubed) * Float(count)), 0), count - 1)
  }
}
