/// The letters a secret may consist of behind its prefix.
enum SecretAlphabet: Sendable {
  case lowerHex, hex, alphanumeric, upper, base64, url
  /// Like `url`, with dots for parts.
  case dotted

  @inline(__always)
  func contains(_ byte: UInt8) -> Bool {
    switch self {
    case .lowerHex: ASCII.isDigit(byte) || byte &- 0x61 < 6
    case .hex: ASCII.isDigit(byte) || (byte | 0x20) &- 0x61 < 6
    case .alphanumeric: ASCII.isAlphanumeric(byte)
    case .upper: ASCII.isDigit(byte) || ASCII.isUpper(byte)
    case .base64: ASCII.isAlphanumeric(byte) || byte == 0x2B || byte == 0x2F || byte == 0x3D
    case .url: ASCII.isAlphanumeric(byte) || byte == 0x2D || byte == 0x5F
    case .dotted: ASCII.isAlphanumeric(byte) || byte == 0x2D || byte == 0x5F || byte == 0x2E
    }
  }
}

/// A vendor's secret: a fixed beginning and how many characters of which alphabet follow.
struct SecretPrefix: Sendable {
  let prefix: [UInt8]
  let alphabet: SecretAlphabet
  let lengths: ClosedRange<Int>
  /// Context words without which it is only possible; 0 for none.
  let context: UInt32

  private init(_ prefix: String, _ alphabet: SecretAlphabet, _ lengths: ClosedRange<Int>, _ context: UInt32 = 0) {
    self.prefix = Array(prefix.utf8)
    self.alphabet = alphabet
    self.lengths = lengths
    self.context = context
  }

  static let table: [SecretPrefix] = cloud + code + models + services

  private static let cloud: [SecretPrefix] = [
    .init("AKIA", .upper, 16...16), .init("ASIA", .upper, 16...16), .init("ABIA", .upper, 16...16),
    .init("ACCA", .upper, 16...16), .init("ABSK", .base64, 109...200), .init("AIza", .url, 35...35),
    .init("GOCSPX-", .url, 28...28), .init("AccountKey=", .base64, 88...88), .init("dop_v1_", .lowerHex, 64...64),
    .init("EXO", .lowerHex, 24...24), .init("SCW", .upper, 17...17, Context.secret), .init("HRKU-AA", .url, 58...58),
    .init("fo1_", .url, 30...250), .init("fm2_", .base64, 30...250), .init("pul-", .lowerHex, 40...40),
    .init("hvs.", .url, 90...250), .init("hvb.", .url, 90...250), .init("dp.pt.", .alphanumeric, 43...43),
    .init("tskey-auth-", .url, 16...80),
  ]

  private static let code: [SecretPrefix] = [
    .init("ghp_", .alphanumeric, 36...36), .init("gho_", .alphanumeric, 36...36), .init("ghu_", .alphanumeric, 36...36),
    .init("ghs_", .alphanumeric, 36...36), .init("ghr_", .alphanumeric, 36...36), .init("github_pat_", .url, 82...82),
    .init("glpat-", .dotted, 20...64), .init("gldt-", .url, 20...64), .init("npm_", .alphanumeric, 36...36),
    .init("pypi-AgEIcHlwaS5vcmc", .url, 50...230), .init("dckr_pat_", .url, 27...27),
    .init("rubygems_", .lowerHex, 48...48),
    .init("PMAK-", .url, 59...59), .init("ATATT3", .base64, 100...250), .init("lin_api_", .alphanumeric, 40...40),
    .init("figd_", .url, 40...48), .init("ntn_", .alphanumeric, 46...46), .init("secret_", .alphanumeric, 43...43),
    .init("sntrys_", .base64, 60...250), .init("sntryu_", .lowerHex, 64...64), .init("NRAK-", .upper, 27...27),
    .init("glsa_", .url, 41...41), .init("glc_", .base64, 32...250),
  ]

  private static let models: [SecretPrefix] = [
    .init("sk-ant-", .url, 80...130), .init("sk-proj-", .url, 40...200), .init("sk-svcacct-", .url, 40...200),
    .init("sk-admin-", .url, 40...200), .init("sk-or-", .url, 40...100), .init("sk-", .url, 32...200),
    .init("hf_", .alphanumeric, 34...34), .init("api_org_", .alphanumeric, 34...34),
    .init("r8_", .alphanumeric, 37...37),
    .init("gsk_", .alphanumeric, 52...52), .init("pplx-", .alphanumeric, 48...48),
    .init("xai-", .alphanumeric, 80...80),
    .init("th_", .url, 40...120),
  ]

  private static let services: [SecretPrefix] = [
    .init("sk_live_", .alphanumeric, 10...99), .init("rk_live_", .alphanumeric, 10...99),
    .init("sk_test_", .alphanumeric, 10...99), .init("whsec_", .base64, 32...64), .init("sq0atp-", .url, 22...22),
    .init("EAAA", .url, 60...64), .init("shpat_", .hex, 32...32), .init("shpss_", .hex, 32...32),
    .init("shpca_", .hex, 32...32), .init("EZAK", .alphanumeric, 54...54), .init("xoxb-", .url, 20...250),
    .init("xoxp-", .url, 20...250), .init("xoxa-", .url, 20...250), .init("xoxr-", .url, 20...250),
    .init("xoxs-", .url, 20...250), .init("xapp-", .url, 20...250), .init("SK", .lowerHex, 32...32, Context.secret),
    .init("AC", .lowerHex, 32...32, Context.secret), .init("SG.", .dotted, 66...66),
    .init("key-", .lowerHex, 32...32, Context.secret), .init("EAA", .alphanumeric, 100...250),
    .init("dapi", .lowerHex, 32...34), .init("pat", .dotted, 79...79), .init("pscale_pw_", .dotted, 32...64),
    .init("pscale_tkn_", .dotted, 32...64), .init("sbp_", .lowerHex, 40...40), .init("ops_eyJ", .base64, 100...250),
    .init("AGE-SECRET-KEY-1", .upper, 58...58), .init("hooks.slack.com/services/", .base64, 40...60),
    .init("eyJ", .url, 14...14, .max),
  ]
}

/// A row of the table as the scanner compares it: without arrays.
struct PrefixRow {
  /// The first eight bytes, the first in the low end, and which of them count.
  let head: UInt64
  let mask: UInt64
  let count: Int
  /// Where the bytes behind the eighth stand in ``ScanTables/prefixTails``.
  let tail: Int
  let alphabet: SecretAlphabet
  let shortest: Int
  let longest: Int
  let context: UInt32

  init(_ row: SecretPrefix, tails: inout [UInt8]) {
    var head: UInt64 = 0
    for (index, byte) in row.prefix.prefix(8).enumerated() { head |= UInt64(byte) << UInt64(8 * index) }
    self.head = head.littleEndian
    mask = row.prefix.count >= 8 ? .max : (1 << UInt64(8 * row.prefix.count)) - 1
    count = row.prefix.count
    tail = tails.count
    tails += row.prefix.dropFirst(8)
    alphabet = row.alphabet
    shortest = row.lengths.lowerBound
    longest = row.lengths.upperBound
    context = row.context
  }
}

/// A stretch of text that lies within an alphabet.
struct SecretRun {
  private var start = 0
  private var end = 0
  private var alphabet = SecretAlphabet.hex

  /// The end of the run of `alphabet` from `position` on, at most `limit`. Goes on where the last look ended.
  mutating func end(_ text: TextView, _ position: Int, _ limit: Int, _ alphabet: SecretAlphabet) -> (
    end: Int, read: Int
  ) {
    var next = position
    if alphabet == self.alphabet, position >= start, position <= end { next = min(end, limit) }
    let from = next
    while next < limit, alphabet.contains(text[next]) { next += 1 }
    if next > end || alphabet != self.alphabet || position < start || position > end {
      start = position
      end = next
      self.alphabet = alphabet
    }
    return (next, next - from)
  }
}
