import Glibc

/// Attention in double precision over q[B,Nq,h·d], k and v [B,Nk,h·d].
///
/// The keys may repeat with a period: the softmax then has few different weights, and the whole
/// reference of a large case costs little. Values need not repeat.
public struct AttentionReference {
  fileprivate let sizes: AttentionSizes
  fileprivate let q, k, v: [Float]

  /// The sizes, and the operands row-major.
  public init(sizes: AttentionSizes, q: [Float], k: [Float], v: [Float]) {
    (self.sizes, self.q, self.k, self.v) = (sizes, q, k, v)
  }

  private var step: Int { sizes.heads * sizes.width }
  private var distinct: Int { min(sizes.period ?? sizes.keys, sizes.keys) }

  private func score(_ query: Int, _ key: Int) -> Double {
    sizes.scale * dot(sizes.width, q, query, 1, k, key, 1)
  }

  /// Offsets of a query's and a key's first element.
  private func place(_ count: Int, _ sample: Int, _ head: Int, _ token: Int) -> Int {
    (sample * count + token) * step + head * sizes.width
  }

  /// o and lse.
  public func forward() -> (o: [Double], lse: [Double]) {
    var o = [Double](repeating: 0, count: q.count)
    var lse = [Double](repeating: 0, count: sizes.batch * sizes.heads * sizes.queries)
    let (d, period) = (sizes.width, distinct)
    for sample in 0..<sizes.batch {
      for head in 0..<sizes.heads {
        var sums = [Double](repeating: 0, count: period * d)
        var counts = [Double](repeating: 0, count: period)
        for key in 0..<sizes.keys {
          counts[key % period] += 1
          let source = place(sizes.keys, sample, head, key)
          for c in 0..<d { sums[key % period * d + c] += Double(v[source + c]) }
        }
        for query in 0..<sizes.queries {
          let target = place(sizes.queries, sample, head, query)
          let visible = sizes.isCausal ? min(query + 1, period) : period
          let scores = (0..<visible).map {
            score(target, place(sizes.keys, sample, head, $0))
          }
          let top = scores.max() ?? 0
          let total = scores.indices.reduce(0) { $0 + counts[$1] * exp(scores[$1] - top) }
          lse[(sample * sizes.heads + head) * sizes.queries + query] = top + log(total)
          for key in 0..<visible {
            let weight = exp(scores[key] - top) / total
            for c in 0..<d { o[target + c] += weight * sums[key * d + c] }
          }
        }
      }
    }
    return (o, lse)
  }

  /// The gradients by single rows, from o and lse as a backward operation gets them.
  public struct Backward {
    private let forward: AttentionReference
    private let dOutput, o, lse: [Float]

    /// The reference of the forward pass, and the other inputs of the operation.
    public init(forward: AttentionReference, dOutput: [Float], o: [Float], lse: [Float]) {
      (self.forward, self.dOutput, self.o, self.lse) = (forward, dOutput, o, lse)
    }

    private var sizes: AttentionSizes { forward.sizes }

    /// P and dS of a query and a key, offsets given.
    private func weights(
      _ query: Int, _ key: Int, _ statistic: Int
    ) -> (p: Double, ds: Double) {
      let d = sizes.width
      let p = exp(forward.score(query, key) - Double(lse[statistic]))
      let dp = dot(d, dOutput, query, 1, forward.v, key, 1)
      let delta = dot(d, dOutput, query, 1, o, query, 1)
      return (p, p * (dp - delta))
    }

    /// dq of one row of [B·Nq·h] rows.
    public func query(_ row: Int) -> [Double] {
      let (head, token) = (row % sizes.heads, row / sizes.heads % sizes.queries)
      let sample = row / (sizes.heads * sizes.queries)
      let target = forward.place(sizes.queries, sample, head, token)
      let statistic = (sample * sizes.heads + head) * sizes.queries + token
      var result = [Double](repeating: 0, count: sizes.width)
      for key in 0..<(sizes.isCausal ? min(token + 1, sizes.keys) : sizes.keys) {
        let source = forward.place(sizes.keys, sample, head, key)
        let ds = sizes.scale * weights(target, source, statistic).ds
        for c in result.indices { result[c] += ds * Double(forward.k[source + c]) }
      }
      return result
    }

    /// dk and dv of one row of [B·Nk·h] rows.
    public func key(_ row: Int) -> (dk: [Double], dv: [Double]) {
      let (head, token) = (row % sizes.heads, row / sizes.heads % sizes.keys)
      let sample = row / (sizes.heads * sizes.keys)
      let target = forward.place(sizes.keys, sample, head, token)
      var dk = [Double](repeating: 0, count: sizes.width)
      var dv = dk
      for query in (sizes.isCausal ? min(token, sizes.queries) : 0)..<sizes.queries {
        let source = forward.place(sizes.queries, sample, head, query)
        let statistic = (sample * sizes.heads + head) * sizes.queries + query
        let (p, ds) = weights(source, target, statistic)
        for c in dk.indices {
          dk[c] += sizes.scale * ds * Double(forward.q[source + c])
          dv[c] += p * Double(dOutput[source + c])
        }
      }
      return (dk, dv)
    }
  }
}
