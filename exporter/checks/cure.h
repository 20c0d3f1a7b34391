// How cures are written. Somebody pastes them into a shell at night, on whatever machine he is:
//
//   COMMAND   # what cannot be a command
//   # a sentence, where no command helps
//
// Before the comment stands one line that bash takes as it is, with the real names and nothing to
// fill in; it mends the fault or, where that needs a decision, shows the place to look. What is to
// fill in is a word in capitals behind the `#`. What has to run on another machine goes through
// ssh, so that it never runs on this one. Words from upstreams pass through shell_word().
// tests/support/pasteable.h holds all of it.
#pragma once

#include <string>
#include <string_view>

namespace shortcircuit {

struct Fleet;

// As one word of a shell: in single quotes unless every character stands for itself. What upstreams
// say is put into commands that people paste.
std::string shell_word(std::string_view text);

// `ssh NODE sudo COMMAND`
std::string on_node(std::string_view node, std::string_view command);

// ` --login-server=URL` for `tailscale up`, or "" when the fleet's server cannot be said: then
// tailscale refuses to leave the server that the node has, and says so.
std::string login_server_option(const Fleet& fleet);

// Compacts etcd's history up to now: what defragmenting can then give back.
std::string etcd_compact_command();

}  // namespace shortcircuit
