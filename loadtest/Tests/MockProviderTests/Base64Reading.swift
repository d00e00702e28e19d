import Foundation

enum Base64Reading {
  static func floats(_ text: String) -> [Float] {
    guard let data = Data(base64Encoded: text), data.count % 4 == 0 else { return [] }
    return stride(from: 0, to: data.count, by: 4).map { start in
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[start + $1]) << (8 * UInt32($1)) }
      return Float(bitPattern: bits)
    }
  }
}
