import EspalierDemoKit
import EspalierImages
import EspalierTensors
import Foundation
import Testing

@Suite("DiscFinder") struct DiscFinderTests {
  private func circle(_ x: Float, _ y: Float, _ radius: Float, _ index: Int = 0) -> Circle {
    let colors = CircleGenerator(seed: 11, split: .heldOut).circle(index)
    return Circle(
      centerX: x, centerY: y, radius: radius, color: colors.color, background: colors.background)
  }

  @Test(arguments: 0..<12)
  func `finds the disc that was drawn`(index: Int) {
    let drawn = CircleGenerator(seed: 3, split: .heldOut).circle(index)
    #expect(drawn.fidelity(of: drawn.targetImage(resolution: 64)) > 0.95)
  }

  @Test func `a mask is itself, and two empty ones have nothing in common`() {
    let mask = circle(0.4, 0.6, 0.2).mask(resolution: 64)
    let empty = PixelMask(width: 64, height: 64) { _, _ in false }
    #expect(mask.intersectionOverUnion(mask) == 1)
    #expect(mask.intersectionOverUnion(empty) == 0 && empty.intersectionOverUnion(empty) == 0)
  }

  /// Shift of the centre in radii.
  @Test(arguments: [0.25, 0.5, 1.0, 1.9])
  func `a shifted disc scores what geometry says`(shift: Double) {
    let radius = 0.2
    let asked = circle(0.3, 0.5, Float(radius))
    let made = circle(Float(0.3 + shift * radius), 0.5, Float(radius))
    // Two unit discs at distance d share 2·acos(d/2) − d/2·√(4 − d²).
    let shared = 2 * acos(shift / 2) - shift / 2 * (4 - shift * shift).squareRoot()
    let expected = shared / (2 * .pi - shared)
    let found = asked.fidelity(of: made.targetImage(resolution: 128))
    #expect(abs(found - expected) < 0.02, "\(found) for \(expected)")
  }

  @Test(arguments: 0..<6)
  func `noise moves the score little`(index: Int) {
    let drawn = CircleGenerator(seed: 8, split: .heldOut).circle(index)
    let image = drawn.targetImage(resolution: 64)
    let noise = CounterRandom(seed: 1, purpose: .noise, sample: UInt64(index))
      .normals(image.bytes.count)
    let bytes = zip(image.bytes, noise).map { UInt8(min(max(Float($0) + 20 * $1, 0), 255)) }
    let noisy = Image(width: 64, height: 64, channels: 3, bytes: bytes)
    #expect(drawn.fidelity(of: noisy) > 0.9)
  }

  @Test func `the ground is what holds the border, even around a large disc`() {
    let large = circle(0.5, 0.5, 0.49)
    #expect(large.mask(resolution: 128).count > 128 * 128 / 2)
    #expect(large.fidelity(of: large.targetImage(resolution: 128)) > 0.97)
  }

  @Test func `a picture of one colour has no disc`() {
    let flat = Image(
      width: 16, height: 16, channels: 3, bytes: [UInt8](repeating: 77, count: 16 * 16 * 3))
    #expect(DiscFinder.disc(in: flat).count == 0)
    #expect(circle(0.5, 0.5, 0.3).fidelity(of: flat) == 0)
  }
}
