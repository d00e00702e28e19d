internal import Routing
internal import Tenancy

/// Reads lists of networks: whence requests come, and where a provider in the house is.
struct NetworksReader {
  let report: Report

  func networks(_ map: MapReader) -> Located<[Network]>? {
    guard let words = map.texts("networks") else { return nil }
    var networks: [Network] = []
    for word in words.value {
      if let network = Network(word.value) {
        networks.append(network)
      } else {
        report.error(
          "'\(word.value)' is no network", at: word.place, hint: "write address/prefix without host bits: 10.20.0.0/16")
      }
    }
    return Located(value: networks, place: words.place)
  }

  /// What a record with `local` may be connected to: its `networks`, or what its host means by itself.
  /// - Parameters:
  ///   - own: Of the host; nil for a name.
  ///   - isNeeded: Whether this record's own address is what is connected to.
  func local(_ map: MapReader, isLocal: Bool, own: [Network]?, isNeeded: Bool = true) -> [Network]? {
    let named = networks(map)
    guard isLocal else {
      if let named {
        report.error(
          "'networks' is for what is in the house", at: named.place, hint: "add local: true, or leave it out")
      }
      return nil
    }
    if named == nil, own == nil, isNeeded {
      report.error(
        "a name with 'local' needs its networks", at: map.place,
        hint: "say where it may be, as narrow as you can: networks: [10.20.0.0/16]")
    }
    if let named, named.value.isEmpty {
      report.error("'networks' is empty", at: named.place, hint: "name one; without 'local' it is public addresses")
    } else if let named, let own, !own.contains(where: { own in named.value.contains { $0.covers(own) } }) {
      report.error("the endpoint's own address is in none of these networks", at: named.place)
    }
    return named?.value ?? own ?? []
  }
}
