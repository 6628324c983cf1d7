/**
 * The string library of LuaJIT. Patterns are matched outside of Lua, in steps that are counted; everything else takes
 * time in proportion to the strings that it allocates.
 */
export const stringsSource = String.raw`
local kit, match, spend, memoryBytes = ...
local real, str, int, numberText = kit.real, kit.str, kit.int, kit.numberText
local error, type, select, lib = real.error, real.type, real.select, real.string
local sub, byte, cfind, cformat = lib.sub, lib.byte, lib.find, lib.format
local search, step, plainly, scan = 0, 1, 2, 3
local strings = {}

for _, name in real.pairs({ "len", "lower", "reverse", "upper" }) do
  local f = lib[name]
  strings[name] = function(s) return f(str(s, 1, name)) end
end
function strings.sub(s, i, j)
  return sub(str(s, 1, "sub"), int(i, 2, "sub"), int(j, 3, "sub", -1))
end
function strings.byte(s, i, j)
  s, i = str(s, 1, "byte"), int(i, 2, "byte", 1)
  return byte(s, i, int(j, 3, "byte", i))
end
function strings.char(...)
  local codes = { ... }
  for i = 1, select("#", ...) do codes[i] = int(codes[i], i, "char") end
  return lib.char(real.table.unpack(codes))
end
function strings.rep(s, n, sep)
  s, n, sep = str(s, 1, "rep"), int(n, 2, "rep"), sep == nil and "" or str(sep, 3, "rep")
  local size = #s + #sep
  if n <= 0 or size == 0 then return "" end
  if size * n > memoryBytes then error("resulting string too large", 2) end
  return lib.rep(s, n, sep)
end

local function from(init, size)
  if init < 0 then init = size + init + 1 end
  return init < 1 and 1 or init
end

local function found(s, whole, ok, a, b, ...)
  if not ok then error(a, 3) end
  if not a then return nil end
  if not whole then return a, b, ... end
  if select("#", ...) > 0 then return ... end
  return sub(s, a, b)
end

function strings.find(s, p, init, plain)
  s, p = str(s, 1, "find"), str(p, 2, "find")
  init = from(int(init, 3, "find", 1), #s)
  if init > #s + 1 then return nil end
  return found(s, false, match(s, p, init, plain and plainly or search, 0))
end

function strings.match(s, p, init)
  s, p = str(s, 1, "match"), str(p, 2, "match")
  init = from(int(init, 3, "match", 1), #s)
  if init > #s + 1 then return nil end
  return found(s, true, match(s, p, init, search, 0))
end

function strings.gmatch(s, p)
  s, p = str(s, 1, "gmatch"), str(p, 2, "gmatch")
  local at = 1
  local function following(ok, a, b, ...)
    if not ok then error(a, 3) end
    if not a then at = #s + 2 return nil end
    at = b < a and a + 1 or b + 1
    if select("#", ...) > 0 then return ... end
    return sub(s, a, b)
  end
  return function()
    if at > #s + 1 then return nil end
    return following(match(s, p, at, scan, 0))
  end
end

-- A replacement text, cut at its percent signs: pieces of text, and the numbers of captures.
local function pieces(r)
  local list, at = {}, 1
  while true do
    local percent = cfind(r, "%", at, true)
    if not percent then break end
    if percent > at then list[#list + 1] = sub(r, at, percent - 1) end
    local c = byte(r, percent + 1)
    if c and c >= 48 and c <= 57 then list[#list + 1] = c - 48
    else list[#list + 1] = c and sub(r, percent + 1, percent + 1) or "\0" end
    at = percent + 2
  end
  if at <= #r then list[#list + 1] = sub(r, at) end
  return list
end

local function written(out, list, whole, captures, n)
  for i = 1, #list do
    local piece = list[i]
    if type(piece) == "number" then
      if piece == 0 or (piece == 1 and n == 0) then piece = whole
      elseif piece > n then error("invalid capture index", 4)
      else piece = captures[piece] end
      if type(piece) == "number" then piece = numberText(piece) end
    end
    out[#out + 1] = piece
  end
end

local function replaced(out, r, kind, list, whole, n, ...)
  if kind == "string" then return written(out, list, whole, { ... }, n) end
  local value
  if kind == "table" then
    local key = whole
    if n > 0 then key = (...) end
    value = r[key]
  elseif n == 0 then value = r(whole)
  else value = r(...) end
  if not value then value = whole
  elseif type(value) == "number" then value = numberText(value)
  elseif type(value) ~= "string" then error("invalid replacement value (a " .. type(value) .. ")", 4) end
  out[#out + 1] = value
end

function strings.gsub(s, p, r, limit)
  s, p = str(s, 1, "gsub"), str(p, 2, "gsub")
  local kind = type(r)
  if kind == "number" then r, kind = numberText(r), "string" end
  if kind ~= "string" and kind ~= "table" and kind ~= "function" then
    error("bad argument #3 to 'gsub' (string/function/table expected)", 2)
  end
  local list = kind == "string" and pieces(r) or nil
  limit = limit == nil and #s + 1 or int(limit, 4, "gsub")
  local isAnchored = byte(p, 1) == 94
  local out, at, count = {}, 1, 0
  local function take(ok, a, b, ...)
    if not ok then error(a, 3) end
    if not a then return false end
    if a > at then out[#out + 1] = sub(s, at, a - 1) end
    count = count + 1
    replaced(out, r, kind, list, sub(s, a, b), select("#", ...), ...)
    if b >= a then at = b + 1
    else
      if a <= #s then out[#out + 1] = sub(s, a, a) end
      at = a + 1
    end
    return true
  end
  while count < limit and at <= #s + 1 do
    local hit
    if isAnchored then hit = take(match(s, p, at, step, 1)) else hit = take(match(s, p, at, scan, 0)) end
    if isAnchored or not hit then break end
  end
  if at <= #s then out[#out + 1] = sub(s, at) end
  return real.table.concat(out), count
end

local integers = { d = "d", i = "d", u = "d", x = "x", X = "X", o = "o" }
local floats = { e = true, E = true, f = true, g = true, G = true, a = true, A = true }

local function number(v, n)
  if type(v) == "string" then v = real.tonumber(v) or v end
  if type(v) ~= "number" then kit.bad(n, "format", "number", v) end
  return v
end

local function whole(v)
  v = v < 0 and real.math.ceil(v) or real.math.floor(v)
  return real.math.tointeger(v) or real.math.mininteger
end

local function formatted(flags, width, precision, kind, v, n)
  local spec = "%" .. flags .. width .. precision
  if integers[kind] then
    v = number(v, n)
    if v ~= v then return cformat("%d", real.math.mininteger) end
    return cformat(spec .. integers[kind], whole(v))
  elseif floats[kind] then return cformat(spec .. kind, number(v, n))
  elseif kind == "c" then return lib.char(int(v, n, "format") & 255)
  elseif kind == "q" then return cformat("%q", str(v, n, "format")) end
  v = kit.tostring(v)
  if width == "" and precision == "" then return v end
  if precision ~= "" then v = sub(v, 1, real.tonumber(sub(precision, 2)) or 0) end
  local padding = lib.rep(" ", (real.tonumber(width) or 0) - #v)
  return cfind(flags, "-", 1, true) and v .. padding or padding .. v
end

local function knows(kind)
  return integers[kind] or floats[kind] or kind == "c" or kind == "q" or kind == "s"
end

function strings.format(f, ...)
  f = str(f, 1, "format")
  local args, n, out, k, at = { ... }, select("#", ...), {}, 0, 1
  while true do
    local percent = cfind(f, "%", at, true)
    if not percent then break end
    if percent > at then out[#out + 1] = sub(f, at, percent - 1) end
    if byte(f, percent + 1) == 37 then
      out[#out + 1] = "%"
      at = percent + 2
    else
      -- A directive is short: so is the piece that Lua's own matcher looks at.
      local _, length, flags, width, precision, kind =
        cfind(sub(f, percent + 1, percent + 24), "^([-+ #0]*)(%d?%d?)(%.?%d?%d?)(.)")
      if not length or #flags > 5 or not knows(kind) or (precision ~= "" and byte(precision) ~= 46) then
        error("invalid option '" .. sub(f, percent, percent + (length or 0)) .. "' to 'format'", 2)
      end
      k = k + 1
      if k > n then error("bad argument #" .. k + 1 .. " to 'format' (no value)", 2) end
      out[#out + 1] = formatted(flags, width, precision, kind, args[k], k + 1)
      at = percent + length + 1
    end
  end
  if at <= #f then out[#out + 1] = sub(f, at) end
  return real.table.concat(out)
end

return strings
`;
