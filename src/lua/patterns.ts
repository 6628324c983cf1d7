/**
 * Lua patterns with a bound. Lua's own matcher is C code: a pattern such as `.-.-.-.-b` on a long string keeps it busy
 * for hours without an instruction at which it could be stopped. So a pattern that can take long on a string of this
 * length is matched by Lua code instead, which the time limit ends; the others go to Lua's own matcher.
 *
 * The source returns a function that is given the string library and returns bounded find, match, gmatch and gsub.
 */
export const patternsSource = String.raw`
local lib, cheapSteps = ...
local byte, sub, cfind = lib.byte, lib.sub, lib.find

-- How many choices with an unknown number of repetitions a pattern has; nil when it is not a plain pattern.
local orders = {}
local known = 0
local function order(p)
  local n = orders[p]
  if n then return n end
  n = byte(p, 1) == 94 and 0 or 1
  local i, len = 1, #p
  while i <= len do
    local c = byte(p, i)
    if c == 37 then
      local d = byte(p, i + 1)
      if d == 98 then n = n + 1 i = i + 3 elseif d and d >= 48 and d <= 57 then n = n + 1 end
      i = i + 1
    elseif c == 91 then
      i = i + 1
      if byte(p, i) == 94 then i = i + 1 end
      repeat
        if byte(p, i) == 37 then i = i + 1 end
        i = i + 1
      until i > len or byte(p, i) == 93
    elseif c == 42 or c == 43 or c == 45 then
      n = n + 1
    end
    i = i + 1
  end
  known = known + 1
  if known > 500 then orders = {} known = 1 end
  orders[p] = n
  return n
end

local function cheap(s, p)
  return (#s + 1) ^ order(p) <= cheapSteps
end

local function classEnd(p, i)
  local c = byte(p, i)
  if c == 37 then
    if i + 1 > #p then error("malformed pattern (ends with '%')", 0) end
    return i + 2
  elseif c == 91 then
    i = i + 1
    if byte(p, i) == 94 then i = i + 1 end
    repeat
      if i > #p then error("malformed pattern (missing ']')", 0) end
      local d = byte(p, i)
      i = i + 1
      if d == 37 then i = i + 1 end
    until byte(p, i) == 93
    return i + 1
  end
  return i + 1
end

local function single(ms, s, i, e)
  if s > #ms.s then return false end
  local p, c = ms.p, byte(ms.p, i)
  if c == 46 then return true end
  if c == 37 or c == 91 then
    local item = ms.items[i]
    if not item then
      item = { pattern = "^" .. sub(p, i, e - 1) }
      ms.items[i] = item
    end
    local d = byte(ms.s, s)
    local hit = item[d]
    if hit == nil then
      hit = cfind(sub(ms.s, s, s), item.pattern) ~= nil
      item[d] = hit
    end
    return hit
  end
  return c == byte(ms.s, s)
end

local match

local function maxExpand(ms, s, i, e)
  local n = 0
  while single(ms, s + n, i, e) do n = n + 1 end
  while n >= 0 do
    local r = match(ms, s + n, e + 1)
    if r then return r end
    n = n - 1
  end
end

local function minExpand(ms, s, i, e)
  while true do
    local r = match(ms, s, e + 1)
    if r then return r end
    if not single(ms, s, i, e) then return nil end
    s = s + 1
  end
end

local function balance(ms, s, i)
  if i + 1 > #ms.p then error("malformed pattern (missing arguments to '%b')", 0) end
  local open, close = byte(ms.p, i, i + 1)
  if byte(ms.s, s) ~= open then return nil end
  local depth = 1
  for k = s + 1, #ms.s do
    local c = byte(ms.s, k)
    if c == close then
      depth = depth - 1
      if depth == 0 then return k + 1 end
    elseif c == open then
      depth = depth + 1
    end
  end
end

local function frontier(ms, s, i, e)
  local item = "^" .. sub(ms.p, i, e - 1)
  local before = s == 1 and "\0" or sub(ms.s, s - 1, s - 1)
  local here = s > #ms.s and "\0" or sub(ms.s, s, s)
  return not cfind(before, item) and cfind(here, item) ~= nil
end

local function backReference(ms, s, c)
  local cap = ms.caps[c - 48]
  if not cap or cap.len < 0 then error("invalid capture index", 0) end
  local text = sub(ms.s, cap.at, cap.at + cap.len - 1)
  if sub(ms.s, s, s + #text - 1) == text then return s + #text end
end

match = function(ms, s, i)
  local p = ms.p
  while true do
    if i > #p then return s end
    local c = byte(p, i)
    if c == 40 then
      local position = byte(p, i + 1) == 41
      local caps = ms.caps
      if #caps >= 32 then error("too many captures", 0) end
      caps[#caps + 1] = { at = s, len = position and -2 or -1 }
      local r = match(ms, s, position and i + 2 or i + 1)
      if not r then caps[#caps] = nil end
      return r
    elseif c == 41 then
      local cap
      for k = #ms.caps, 1, -1 do
        if ms.caps[k].len == -1 then cap = ms.caps[k] break end
      end
      if not cap then error("invalid pattern capture", 0) end
      cap.len = s - cap.at
      local r = match(ms, s, i + 1)
      if not r then cap.len = -1 end
      return r
    elseif c == 36 and i == #p then
      return s > #ms.s and s or nil
    end
    local done = false
    if c == 37 then
      local d = byte(p, i + 1)
      if d == 98 then
        s = balance(ms, s, i + 2)
        if not s then return nil end
        i = i + 4
        done = true
      elseif d == 102 then
        i = i + 2
        if byte(p, i) ~= 91 then error("missing '[' after '%f' in pattern", 0) end
        local e = classEnd(p, i)
        if not frontier(ms, s, i, e) then return nil end
        i = e
        done = true
      elseif d and d >= 48 and d <= 57 then
        s = backReference(ms, s, d)
        if not s then return nil end
        i = i + 2
        done = true
      end
    end
    if not done then
      local e = classEnd(p, i)
      local q = byte(p, e)
      if q == 63 then
        if single(ms, s, i, e) then
          local r = match(ms, s + 1, e + 1)
          if r then return r end
        end
        i = e + 1
      elseif q == 43 then
        return single(ms, s, i, e) and maxExpand(ms, s + 1, i, e) or nil
      elseif q == 42 then
        return maxExpand(ms, s, i, e)
      elseif q == 45 then
        return minExpand(ms, s, i, e)
      else
        if not single(ms, s, i, e) then return nil end
        s = s + 1
        i = e
      end
    end
  end
end

local function capture(ms, k, from, to)
  local cap = ms.caps[k]
  if not cap then
    if k ~= 1 then error("invalid capture index", 0) end
    return sub(ms.s, from, to - 1)
  end
  if cap.len == -2 then return cap.at end
  if cap.len == -1 then error("unfinished capture", 0) end
  return sub(ms.s, cap.at, cap.at + cap.len - 1)
end

local function captures(ms, from, to, whole)
  local n = #ms.caps
  if n == 0 and whole then n = 1 end
  local list = {}
  for k = 1, n do list[k] = capture(ms, k, from, to) end
  return list, n
end

local function matcher(s, p)
  return { s = s, p = p, caps = {}, items = {} }
end

-- The first match at or after init: from, to (one past the end), or nil.
local function search(ms, init, anchored)
  for s = init, #ms.s + 1 do
    ms.caps = {}
    local e = match(ms, s, anchored and 2 or 1)
    if e then return s, e end
    if anchored then return nil end
  end
end

local function start(s, init)
  init = init or 1
  if init < 0 then init = #s + init + 1 end
  return init < 1 and 1 or init
end

local bounded = {}

local function plainFind(s, p, init)
  local n = #p
  if n == 0 then return init, init - 1 end
  local first = sub(p, 1, 1)
  while true do
    local at = cfind(s, first, init, true)
    if not at then return nil end
    if sub(s, at, at + n - 1) == p then return at, at + n - 1 end
    init = at + 1
  end
end

function bounded.find(s, p, init, plain)
  s, p = tostring(s), tostring(p)
  if plain then
    if #s * #p <= cheapSteps then return cfind(s, p, init, true) end
    local from = start(s, init)
    if from > #s + 1 then return nil end
    return plainFind(s, p, from)
  end
  if cheap(s, p) then return cfind(s, p, init) end
  local from = start(s, init)
  if from > #s + 1 then return nil end
  local ms = matcher(s, p)
  local a, b = search(ms, from, byte(p, 1) == 94)
  if not a then return nil end
  local list, n = captures(ms, a, b, false)
  return a, b - 1, table.unpack(list, 1, n)
end

function bounded.match(s, p, init)
  s, p = tostring(s), tostring(p)
  if cheap(s, p) then return lib.match(s, p, init) end
  local from = start(s, init)
  if from > #s + 1 then return nil end
  local ms = matcher(s, p)
  local a, b = search(ms, from, byte(p, 1) == 94)
  if not a then return nil end
  local list, n = captures(ms, a, b, true)
  return table.unpack(list, 1, n)
end

function bounded.gmatch(s, p)
  s, p = tostring(s), tostring(p)
  if cheap(s, p) then return lib.gmatch(s, p) end
  local from, last = 1, nil
  return function()
    while from <= #s + 1 do
      local ms = matcher(s, p)
      local a, b = search(ms, from, false)
      if not a then from = #s + 2 return nil end
      from = b > a and b or a + 1
      if b ~= last then
        last = b
        local list, n = captures(ms, a, b, true)
        return table.unpack(list, 1, n)
      end
    end
  end
end

local function expand(ms, r, from, to)
  return (lib.gsub(r, "%%(.?)", function(d)
    if d == "%" then return "%" end
    if d == "0" then return sub(ms.s, from, to - 1) end
    local k = tonumber(d)
    if not k then error("invalid use of '%' in replacement string", 0) end
    return tostring(capture(ms, k, from, to))
  end))
end

local function replacement(ms, r, kind, from, to)
  local value
  if kind == "string" then return expand(ms, r, from, to) end
  local list, n = captures(ms, from, to, true)
  if kind == "table" then value = r[list[1]] else value = r(table.unpack(list, 1, n)) end
  if not value then return sub(ms.s, from, to - 1) end
  if type(value) ~= "string" and type(value) ~= "number" then
    error("invalid replacement value (a " .. type(value) .. ")", 0)
  end
  return tostring(value)
end

function bounded.gsub(s, p, r, limit)
  s, p = tostring(s), tostring(p)
  if cheap(s, p) then return lib.gsub(s, p, r, limit) end
  local kind = type(r)
  if kind == "number" then r, kind = tostring(r), "string" end
  if kind ~= "string" and kind ~= "table" and kind ~= "function" then
    error("bad argument #3 to 'gsub' (string/function/table expected)", 0)
  end
  local anchored = byte(p, 1) == 94
  local out, at, count = {}, 1, 0
  limit = limit or #s + 1
  while count < limit and at <= #s + 1 do
    local ms = matcher(s, p)
    local e = match(ms, at, anchored and 2 or 1)
    if e then
      count = count + 1
      out[#out + 1] = replacement(ms, r, kind, at, e)
    end
    if e and e > at then
      at = e
    else
      if at <= #s then out[#out + 1] = sub(s, at, at) end
      at = at + 1
    end
    if anchored then break end
  end
  out[#out + 1] = sub(s, at)
  return table.concat(out), count
end

return bounded
`;
