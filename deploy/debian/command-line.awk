# Fills @COMMANDS@, @FLAGS@ (manual page) and @FLAG_NAMES@, @FILE_FLAGS@, @DIRECTORY_FLAGS@,
# @OTHER_FLAGS@, @WORD_FLAGS@ (completion) of a template from exporter/COMMAND_LINE.md, which the program generates.
#   awk -f command-line.awk -v version=1.2.3 COMMAND_LINE.md TEMPLATE
function cell(text) {
  gsub(/^ +| +$/, "", text)
  gsub(/\001/, "|", text)
  return text
}
function roff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  gsub(/`/, "", text)
  return text
}
FNR == NR {
  gsub(/\\\|/, "\001")
  if (split($0, cells, "|") < 4 || cells[2] !~ /`/) next
  usage = cell(cells[2])
  gsub(/`/, "", usage)
  meaning = cell(cells[3])
  paragraph = ".TP\n.B " roff(usage) "\n" roff(meaning) "\n"
  if (usage !~ /^-/) {
    commands = commands paragraph
    next
  }
  flags = flags paragraph
  parts = split(usage, words, " ")
  flag_names = flag_names " " words[1]
  if (parts > 1 && words[2] == "FILE") file_flags = file_flags "|" words[1]
  else if (parts > 1 && words[2] == "DIR") directory_flags = directory_flags "|" words[1]
  else if (parts > 1 && words[2] ~ /\|/) {
    gsub(/\|/, " ", words[2])
    word_flags = word_flags "    " words[1] ") words='" words[2] "' ;;\n"
  } else if (parts > 1) other_flags = other_flags "|" words[1]
  next
}
/^@COMMANDS@$/ { printf "%s", commands; next }
/^@FLAGS@$/ { printf "%s", flags; next }
/^@WORD_FLAGS@$/ { printf "%s", word_flags; next }
{
  gsub(/@VERSION@/, version)
  gsub(/@FLAG_NAMES@/, substr(flag_names, 2))
  gsub(/@FILE_FLAGS@/, substr(file_flags, 2))
  gsub(/@DIRECTORY_FLAGS@/, substr(directory_flags, 2))
  gsub(/@OTHER_FLAGS@/, substr(other_flags, 2))
  print
}
