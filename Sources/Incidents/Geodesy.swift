#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Distances on the earth.
package enum Geodesy {
  /// Mean radius of the earth, metres.
  package static let earthRadius = 6_371_008.8

  /// Metres along the great circle between two points, degrees WGS 84, by the haversine formula; within 0.5 %.
  package static func distance(_ latitude1: Double, _ longitude1: Double, _ latitude2: Double, _ longitude2: Double)
    -> Double
  {
    let radians = Double.pi / 180
    let (first, second) = (latitude1 * radians, latitude2 * radians)
    let half = (sin((second - first) / 2), sin((longitude2 - longitude1) * radians / 2))
    let chord = half.0 * half.0 + cos(first) * cos(second) * half.1 * half.1
    return 2 * earthRadius * asin(min(1, max(0, chord).squareRoot()))
  }
}
