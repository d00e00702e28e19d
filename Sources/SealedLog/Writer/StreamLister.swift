internal import Foundation

/// The installation-signed list of all streams of a log: with it, a whole stream cannot vanish unseen.
struct StreamLister {
  let log: String
  let host: String
  let disk: any LogDisk
  /// The list as it was written last, and its streams, sorted: what is still there as it was is not taken apart again, which
  /// with thousands of streams takes longer than making a segment.
  private var written: (bytes: [UInt8], streams: [String]) = ([], [])

  init(log: String, host: String, disk: any LogDisk) {
    self.log = log
    self.host = host
    self.disk = disk
  }

  private var origin: String { "\(host)/log/streams" }

  /// Adds streams; nothing is written when they stand there already.
  mutating func add(_ added: [StreamName], provider: any KeyProvider) throws(SealedLogError) {
    let path = LogLayout.streamList(log)
    // Another node's process adds its streams to the same list.
    let lock = try Files.lockFolder(log)
    defer { Files.unlock(lock) }
    let hasList = try Files.size(ifThere: path) != nil
    var streams = hasList ? try self.streams(listed: try Files.read(path), provider) : []
    let new = Set(added.map(\.description)).subtracting(streams)
    guard !new.isEmpty else { return }
    streams += new
    streams.sort()
    let text = "\(origin)\n" + streams.map { $0 + "\n" }.joined()
    do {
      let key = try provider.installationKey()
      let keyPath = LogLayout.installationKey(log)
      if (try? Files.read(keyPath)) != key { try disk.replace(keyPath, with: key, synchronizingFolder: true) }
      let signature = try provider.sign(Array(text.utf8))
      let note = try SignedNote.seal(text, name: origin, publicKey: key, signature: signature)
      try disk.replace(path, with: note, synchronizingFolder: true)
      written = (note, streams)
    } catch let error as KeyProviderError {
      throw SealedLogError(error)
    } catch let error as SealedLogError {
      throw error
    } catch { throw .malformed("stream list") }
  }

  private func streams(listed bytes: [UInt8], _ provider: any KeyProvider) throws(SealedLogError) -> [String] {
    if bytes == written.bytes { return written.streams }
    let list = try Self.read(bytes)
    // What is signed anew counts as the installation's word: nothing gets in by having been written there.
    guard list.isSigned(by: try installationKey(provider)) else { throw .notAuthentic("stream list") }
    return Set(list.streams.map(\.description)).sorted()
  }

  private func installationKey(_ provider: any KeyProvider) throws(SealedLogError) -> [UInt8] {
    do { return try provider.installationKey() } catch { throw SealedLogError(error) }
  }

  struct List {
    let streams: [StreamName]
    private let note: SignedNote
    private let origin: String

    init(streams: [StreamName], note: SignedNote, origin: String) {
      self.streams = streams
      self.note = note
      self.origin = origin
    }

    func isSigned(by installation: [UInt8]) -> Bool { note.isSigned(name: origin, by: installation) }
  }

  /// Reads a list; its signature is checked by ``List/isSigned(by:)``.
  static func read(_ bytes: [UInt8]) throws(SealedLogError) -> List {
    let note = try SignedNote(bytes)
    let lines = note.text.split(separator: "\n")
    guard let origin = lines.first else { throw .malformed("stream list") }
    var streams: [StreamName] = []
    for line in lines.dropFirst() {
      guard let stream = StreamName(line) else { throw .malformed("stream list") }
      streams.append(stream)
    }
    return List(streams: streams, note: note, origin: String(origin))
  }
}
