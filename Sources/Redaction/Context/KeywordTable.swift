/// What a word says about the numbers beside it; one bit each.
enum Context {
  static let phone: UInt32 = 1 << 0
  static let bank: UInt32 = 1 << 1
  static let card: UInt32 = 1 << 2
  static let ahv: UInt32 = 1 << 3
  static let tax: UInt32 = 1 << 4
  static let social: UInt32 = 1 << 5
  static let health: UInt32 = 1 << 6
  static let password: UInt32 = 1 << 7
  static let secret: UInt32 = 1 << 8
  /// Speaks against identifiers: order, invoice and article numbers.
  static let trade: UInt32 = 1 << 9
  /// Speaks against addresses of the network: versions and builds.
  static let version: UInt32 = 1 << 10
  /// The first word of a placeholder's label.
  static let label: UInt32 = 1 << 11
  static let vat: UInt32 = 1 << 12
  static let network: UInt32 = 1 << 13
  static let mail: UInt32 = 1 << 14
  static let aws: UInt32 = 1 << 15
}

struct Keyword {
  let text: String
  let mask: UInt32

  /// Lower-case words, without separators: what stands between two non-letters.
  static let table: [Keyword] = rows.flatMap { mask, words in
    words.split(separator: " ").map { Keyword(text: String($0), mask: mask) }
  }

  private static let rows: [(UInt32, String)] = [
    (
      Context.phone,
      "tel telefon telefonnummer telefonnr telephone téléphone telefono phone phonenumber phone mobile mobil mobilnummer "
        + "mobiltelefon handy handynummer natel fon fax telefax portable cellulare cell call rückruf rückrufnummer "
        + "anrufen ruf rufnummer durchwahl hotline whatsapp signal sms festnetz privat geschäft dringend erreichbar"
    ),
    (Context.bank, "iban konto kontonummer bankkonto bankverbindung compte conto account"),
    (
      Context.card,
      "karte kreditkarte kartennummer kreditkartennummer card cardnumber creditcard visa mastercard amex carte carta pan "
        + "maestro"
    ),
    (
      Context.ahv,
      "ahv avs ahvnummer ahvnr ahvn ahvnumber sozialversicherungsnummer versichertennummer oasi nss navs ssn"
    ),
    (
      Context.tax,
      "steuer steuerid steueridnr idnr steueridentifikationsnummer steuerliche identifikationsnummer tin taxid tax "
        + "steuernummer finanzamt"
    ),
    (
      Context.social,
      "svnr sv sozialversicherung sozialversicherungsnummer versicherungsnummer rvnr rentenversicherung "
        + "rentenversicherungsnummer svnummer rente"
    ),
    (
      Context.health,
      "kvnr krankenkasse krankenversicherung krankenversichertennummer versichertennummer krankenversichertennr egk "
        + "versicherten gesundheitskarte"
    ),
    (
      Context.password,
      "passwort passwörter kennwort passwd password passphrase pw pwd pass passe parola kennwörter pin zugangscode"
    ),
    (
      Context.secret,
      "key apikey token secret secrets schlüssel accesskey secretkey clientsecret client_secret privatekey accesstoken "
        + "authtoken refreshtoken bearer credential credentials geheimnis zugangsschlüssel"
    ),
    (
      Context.trade,
      "bestellung bestellnummer auftrag auftragsnummer rechnung rechnungsnummer rechnungsnr artikel artikelnummer "
        + "artikelnr ean gtin isbn order ordernumber invoice sku item lieferschein tracking sendung sendungsnummer "
        + "paket seriennummer serial commande facture fattura ordine ticket bestellnr"
    ),
    (Context.aws, "aws amazon"),
    (Context.version, "version v ver build firmware release rev software update"),
    (Context.vat, "ust ustid mwst uid vat uidnr umsatzsteuer tva iva umsatzsteueridentifikationsnummer"),
    (Context.mail, "mail email emailadresse mailadresse courriel posta schreiben write"),
    (Context.network, "ip ipv4 adresse host hostname server client gateway dns"),
    (
      Context.label,
      "email phone ip iban card ch de at ahv steuer rvnr svnr kvnr api private jwt password url high text pattern list"
    ),
  ]
}

/// Looks words up by length and last eight bytes, then compares them whole.
///
/// Built once, never freed; of pointers only, so that a scanner takes it along without counting references.
struct KeywordTable: Sendable {
  private struct Slot {
    var tail: UInt64 = 0
    var length: UInt32 = 0
    var mask: UInt32 = 0
    var text: Int32 = 0
  }

  private static let size = 2048
  let filter: BitFilter
  nonisolated(unsafe) private let slots: UnsafeMutablePointer<Slot>
  nonisolated(unsafe) private let texts: UnsafeMutablePointer<UInt8>

  /// The word's bytes as text has them, ASCII in lower case.
  ///
  /// The capital form of ä, ö, ü, é and their like differs in the second byte.
  static func forms(_ word: Keyword) -> [[UInt8]] {
    [Array(word.text.utf8), word.text.uppercased().utf8.map { ASCII.lower($0) }]
  }

  init(_ words: [Keyword]) {
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: Self.size)
    slots.initialize(repeating: Slot(), count: Self.size)
    var hashes: Set<Int> = []
    var masks: [[UInt8]: UInt32] = [:]
    for word in words {
      for form in Self.forms(word) { masks[form, default: 0] |= word.mask }
    }
    var texts: [UInt8] = []
    for (bytes, mask) in masks.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) where bytes.count <= 255 {
      var tail: UInt64 = 0
      for byte in bytes { tail = tail << 8 | UInt64(byte) }
      let hash = Self.hash(tail, bytes.count)
      hashes.insert(hash)
      var index = hash >> 3
      while slots[index].length != 0 { index = (index + 1) & (Self.size - 1) }
      slots[index] = Slot(
        tail: tail, length: UInt32(bytes.count), mask: mask, text: Int32(truncatingIfNeeded: texts.count))
      texts.append(contentsOf: bytes)
    }
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: texts.count)
    for (index, byte) in texts.enumerated() { (memory + index).initialize(to: byte) }
    self.slots = slots
    self.texts = memory
    filter = BitFilter(hashes)
  }

  /// Its upper bits are the word's first slot.
  @inline(__always)
  static func hash(_ tail: UInt64, _ length: Int) -> Int { BitFilter.hash(tail ^ UInt64(truncatingIfNeeded: length)) }

  /// The word `text[start ..< start + length]`, whose last eight folded bytes are `tail`; 0 if it is none.
  @inline(__always)
  func mask(_ tail: UInt64, _ length: Int, _ text: UnsafePointer<UInt8>, _ start: Int) -> UInt32 {
    let hash = Self.hash(tail, length)
    guard filter.contains(hash) else { return 0 }
    var index = hash >> 3
    while slots[index].length != 0 {
      if slots[index].tail == tail, Int(slots[index].length) == length { return compared(slots[index], text, start) }
      index = (index + 1) & (Self.size - 1)
    }
    return 0
  }

  private func compared(_ slot: Slot, _ text: UnsafePointer<UInt8>, _ start: Int) -> UInt32 {
    if slot.length <= 8 { return slot.mask }  // the tail was the whole word
    for index in 0..<Int(slot.length) where ASCII.lower(text[start + index]) != texts[Int(slot.text) + index] {
      return 0
    }
    return slot.mask
  }
}
