/// The level that an ancestral step goes down to, and the noise that takes it up to the next level again.
///
/// up² = σ'²(σ² − σ'²)/σ², down² = σ'² − up² = σ'⁴/σ².
/// Source: k-diffusion's `get_ancestral_step`, whose difference of squares loses digits, in the end all of
/// them, where a step is long.
struct AncestralLevels {
  let up: Float
  let down: Float

  init(from sigma: Float, to next: Float) {
    let (sigma2, next2) = (sigma * sigma, next * next)
    up = (next2 * (sigma2 - next2) / sigma2).squareRoot()
    down = next2 / sigma
  }
}
