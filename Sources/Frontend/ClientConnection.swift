/// What a loop knows of a client's connection, whatever it speaks.
protocol ClientConnection: AnyObject {
  /// Position in the worker's table of connections; -1 outside of it.
  var index: Int { get set }
  var source: SourceAddress { get }
  /// Once a second, on the loop. `now` is the worker's milliseconds.
  func tick(_ now: Int64)
  /// Finish what is in work and take nothing new; the next answer says that it is the last.
  /// - Parameter lingerMilliseconds: How long an idle connection stays, for its client may be sending just now.
  func drain(lingerMilliseconds: Int)
  func close()
}
