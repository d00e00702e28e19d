/// Made-up personal data with right checksums, the same on every run; `index` makes one value differ from the next.
enum PersonalData {
  private static let first = ["Anna", "Beat", "Carla", "Dieter", "Eva", "Franz", "Gerda", "Hugo", "Iris", "Jonas"]
  private static let last = ["Beispiel", "Muster", "Vorlage", "Probst", "Exempel", "Modell", "Schema", "Entwurf"]

  /// A short sentence with one value, of a type that changes from sentence to sentence.
  static func sentence(_ index: Int) -> String {
    let number = index / 6
    let name = "\(first[index % first.count]) \(last[index / first.count % last.count])"
    switch index % 6 {
    case 0: return "Write to \(name.lowercased().replacing(" ", with: "."))\(number)@example.org. "
    case 1: return "The IBAN is \(iban(account: number)). "
    case 2: return "Call +49 30 90\(padded(1_000 + number % 9_000, 4)) tomorrow. "
    case 3: return "Contact: \(name), born on \(padded(1 + number % 28, 2)).0\(1 + number % 9).19\(50 + number % 50). "
    case 4: return "AHV number \(ahv(number)). "
    default: return "The card is \(card(number)). "
    }
  }

  /// A German IBAN; its check digits make the rearranged number 1 modulo 97 (ISO 7064).
  static func iban(account: Int) -> String {
    let digits = "37040044" + padded(account % 1_000_000_000, 10)
    var rest = 0
    for digit in (digits + "131400").utf8 { rest = (rest * 10 + Int(digit) - 0x30) % 97 }
    return "DE" + padded(98 - rest, 2) + digits
  }

  /// A Swiss social insurance number, which is an EAN-13.
  static func ahv(_ number: Int) -> String {
    let digits = "756" + padded(100_000_000 + number % 800_000_000, 9)
    var sum = 0
    for (place, digit) in digits.utf8.enumerated() { sum += (Int(digit) - 0x30) * (place % 2 == 0 ? 1 : 3) }
    let all = Array(digits) + Array(String((10 - sum % 10) % 10))
    return "\(String(all[0..<3])).\(String(all[3..<7])).\(String(all[7..<11])).\(String(all[11...]))"
  }

  /// A card number in the range that is kept for tests, with its Luhn digit.
  static func card(_ number: Int) -> String {
    let digits = "41111111" + padded(number % 10_000_000, 7)
    var sum = 0
    for (place, digit) in digits.utf8.reversed().enumerated() {
      let value = (Int(digit) - 0x30) * (place % 2 == 0 ? 2 : 1)
      sum += value > 9 ? value - 9 : value
    }
    return digits + String((10 - sum % 10) % 10)
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }
}
