/// The ids that the objects of one answer are made of.
struct ReplyIdentity {
  /// Sixteen hexadecimal digits.
  let number: String
  let model: String

  init(number: UInt64, model: String) {
    let digits = String(number, radix: 16)
    self.number = String(repeating: "0", count: max(0, 16 - digits.count)) + digits
    self.model = model
  }

  /// The id of the answer's call number `index`: the same text for the first, whatever the others are.
  func call(_ index: Int, _ opening: String) -> String {
    "\(opening)mock\(number)" + (index == 0 ? "" : "_\(index)")
  }
}
