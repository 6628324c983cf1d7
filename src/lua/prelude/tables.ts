/** The table library of LuaJIT, written in Lua where Lua's own works on many elements without an instruction. */
export const tablesSource = String.raw`
local kit, spend = ...
local real, int = kit.real, kit.int
local error, type, next, select = real.error, real.type, real.next, real.select
local tables = {}

local function check(t, name)
  if type(t) ~= "table" then kit.bad(1, name, "table", t) end
end

function tables.concat(t, sep, i, j)
  check(t, "concat")
  sep = sep == nil and "" or kit.str(sep, 2, "concat")
  i, j = int(i, 3, "concat", 1), int(j, 4, "concat", #t)
  local list = {}
  for k = i, j do
    local v = t[k]
    if type(v) == "number" then v = kit.numberText(v)
    elseif type(v) ~= "string" then
      kit.fail("invalid value (" .. type(v) .. ") at index " .. k .. " in table for 'concat'")
    end
    list[#list + 1] = v
  end
  return real.table.concat(list, sep)
end

function tables.insert(t, ...)
  check(t, "insert")
  local n = select("#", ...)
  if n == 1 then t[#t + 1] = (...) return end
  if n ~= 2 then kit.fail("wrong number of arguments to 'insert'") end
  local at, v = ...
  at = int(at, 2, "insert")
  for i = #t + 1, at + 1, -1 do t[i] = t[i - 1] end
  t[at] = v
end

-- A position between two elements is compared as it is, and cut off where it names one. Without an element there is no
-- result.
function tables.remove(t, at)
  check(t, "remove")
  local n = #t
  if at == nil then at = n else at = kit.double(at, 2, "remove") end
  if not (at >= 1 and at <= n) then return end
  local first = real.math.floor(at)
  local v = t[first]
  for i = first + 1, n do
    if at + (i - first) > n then break end
    t[i - 1] = t[i]
  end
  t[n] = nil
  return v
end

local function move(from, f, e, t, to)
  if e >= f then
    if t > e or t <= f or to ~= from then for i = f, e do to[t + i - f] = from[i] end
    else for i = e, f, -1 do to[t + i - f] = from[i] end end
  end
  return to
end
function tables.move(from, f, e, t, to)
  check(from, "move")
  if to == nil then to = from end
  return move(from, int(f, 2, "move"), int(e, 3, "move"), int(t, 4, "move"), to)
end

local function less(a, b)
  local kind, other = type(a), type(b)
  if kind ~= other then error("attempt to compare " .. kind .. " with " .. other, 0)
  elseif kind ~= "number" and kind ~= "string" then error("attempt to compare two " .. kind .. " values", 0) end
  -- Long strings take long to compare.
  if kind == "string" and #a > 1000 then
    local ok, problem = spend(#a >> 4)
    if not ok then error(problem, 0) end
  end
  return a < b
end

-- Merges neighbours of growing length: every comparison and every move is an instruction.
function tables.sort(t, before)
  check(t, "sort")
  if before == nil then before = less
  elseif type(before) ~= "function" then kit.bad(2, "sort", "function", before) end
  local n, width = #t, 1
  local from, to = t, {}
  while width < n do
    for low = 1, n, 2 * width do
      local mid, high = low + width, low + 2 * width
      if mid > n + 1 then mid = n + 1 end
      if high > n + 1 then high = n + 1 end
      local a, b = low, mid
      for k = low, high - 1 do
        if a < mid and (b >= high or not before(from[b], from[a])) then
          to[k] = from[a]
          a = a + 1
        else
          to[k] = from[b]
          b = b + 1
        end
      end
    end
    from, to = to, from
    width = 2 * width
  end
  if from ~= t then for i = 1, n do t[i] = from[i] end end
end

function tables.unpack(t, i, j)
  check(t, "unpack")
  i, j = int(i, 2, "unpack", 1), int(j, 3, "unpack", #t)
  if j - i >= 8000 then kit.fail("too many results to unpack") end
  return real.table.unpack(t, i, j)
end
function tables.pack(...) return { n = select("#", ...), ... } end
function tables.getn(t) check(t, "getn") return #t end
function tables.maxn(t)
  local n = 0
  for k in next, t do if type(k) == "number" and k > n then n = k end end
  return n
end
function tables.foreach(t, f)
  for k, v in next, t do local r = f(k, v) if r ~= nil then return r end end
end
function tables.foreachi(t, f)
  for i = 1, #t do local r = f(i, t[i]) if r ~= nil then return r end end
end
function tables.clear(t) for k in next, t do t[k] = nil end end
function tables.clone(t) local c = {} for k, v in next, t do c[k] = v end return c end
function tables.new() return {} end
function tables.nkeys(t) local n = 0 for _ in next, t do n = n + 1 end return n end
function tables.isempty(t) return next(t) == nil end
function tables.isarray(t)
  for k in next, t do if type(k) ~= "number" or k < 1 or k % 1 ~= 0 then return false end end
  return true
end

return tables
`;
